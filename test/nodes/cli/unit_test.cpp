#include "nodes/cli/unit.hpp"

#include "test/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sys/stat.h>

namespace poseidon::cli {
namespace {

struct unit_test : ::testing::Test {
  test::temporary_folder root;
  std::vector<std::string> ran;
  config::settings settings;
  unit_place place{root.path().string(), root.file("program"), [this](const std::vector<std::string>& command) {
                     std::string line;
                     for (auto& word : command) line += (line.empty() ? "" : " ") + word;
                     ran.push_back(line);
                     return line != failing;
                   }};
  std::string failing;

  unit_test() {
    std::ofstream{root.file("program")} << "the program";
    settings.user = "no-such-user";
    settings.engine = "unix:///run/docker.sock";
  }
  std::string text(const std::string& file) const {
    std::ifstream in{root.path().string() + file};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  unsigned mode(const std::string& file) const {
    struct stat found {};
    return ::stat((root.path().string() + file).c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
  }
};

TEST_F(unit_test, is_refused_where_systemd_does_not_run) {
  const auto why = can_install_unit(place);
  EXPECT_NE(why.detail.find("systemd"), std::string::npos) << why.detail;
  std::filesystem::create_directories(root.path() / "run/systemd/system");
  EXPECT_FALSE(can_install_unit(place));
}

TEST_F(unit_test, installs_program_settings_and_unit_and_makes_the_user) {
  ASSERT_FALSE(install_unit(place, settings));
  EXPECT_EQ(text("/usr/local/bin/poseidon"), "the program");
  EXPECT_EQ(mode("/usr/local/bin/poseidon"), 0755u);
  EXPECT_EQ(text("/etc/systemd/system/poseidon.service"), unit_text());
  EXPECT_NE(unit_text().find("Type=notify"), std::string_view::npos);
  EXPECT_EQ(mode("/etc/poseidon/poseidon.yml"), 0640u);
  EXPECT_EQ(text("/etc/poseidon/environment"), "POSEIDON_ENGINE=unix:///run/docker.sock\n");
  EXPECT_FALSE(std::filesystem::exists(root.path() / "etc/systemd/system/poseidon.service.d")) << "DATA is where the unit expects it";
  ASSERT_FALSE(ran.empty());
  EXPECT_TRUE(ran[0].starts_with("useradd --system")) << ran[0];
  ran.clear();
  ASSERT_FALSE(start_unit(place));
  EXPECT_EQ(ran, (std::vector<std::string>{"systemctl daemon-reload", "systemctl enable poseidon", "systemctl restart poseidon"}));
}

TEST_F(unit_test, leaves_settings_that_are_there_and_follows_data_elsewhere) {
  std::filesystem::create_directories(root.path() / "etc/poseidon");
  std::ofstream{root.file("etc/poseidon/poseidon.yml")} << "edge: {domain: mine}\n";
  settings.data = "/srv/poseidon";
  ASSERT_FALSE(install_unit(place, settings));
  EXPECT_EQ(text("/etc/poseidon/poseidon.yml"), "edge: {domain: mine}\n");
  EXPECT_EQ(text("/etc/systemd/system/poseidon.service.d/data.conf"), "[Service]\nEnvironment=POSEIDON_DATA=/srv/poseidon\nReadWritePaths=/srv/poseidon\n");
}

TEST_F(unit_test, tells_which_command_failed) {
  failing = "systemctl enable poseidon";
  const auto why = start_unit(place);
  EXPECT_NE(why.detail.find(failing), std::string::npos) << why.detail;
}

} // namespace
} // namespace poseidon::cli
