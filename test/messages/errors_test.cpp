#include "messages/errors.hpp"
#include "messages/errors_document.hpp"

#include "test/support/source_folder.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace poseidon {

TEST(errors, every_row_tells_what_is_wrong_and_what_to_do) {
  std::set<std::string_view> titles;
  for (auto& error : all_errors()) {
    EXPECT_TRUE(titles.insert(error.title).second) << error.title << " stands for two errors";
    if (error.code == errc::ok) continue;
    EXPECT_GE(error.http_status, 400) << to_string(error.code);
    EXPECT_LT(error.http_status, 600) << to_string(error.code);
    EXPECT_FALSE(error.title.empty()) << to_string(error.code);
    EXPECT_TRUE(error.remedy.ends_with(".")) << to_string(error.code);
    EXPECT_EQ(error.remedy.find('|'), std::string_view::npos) << to_string(error.code) << " would break its row of the page";
    EXPECT_EQ(&describe(error.code), &error);
  }
}

TEST(errors, what_is_answered_with_retry_after_may_be_tried_again) {
  for (auto& error : all_errors())
    if (error.http_status == 429 || error.http_status == 503) {
      EXPECT_TRUE(error.retry) << to_string(error.code);
    }
}

TEST(errors, the_page_in_docs_is_generated_from_the_table) {
  const std::string file = test::source_folder() + "/docs/errors.md";
  if (std::getenv("POSEIDON_UPDATE_DOCS")) std::ofstream(file) << errors_document();
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), errors_document()) << "write it anew with POSEIDON_UPDATE_DOCS=1";
}

} // namespace poseidon
