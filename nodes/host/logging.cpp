#include "nodes/host/logging.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace poseidon {

namespace {

/// One JSON object a line: at, level, message.
class json_formatter : public spdlog::formatter {
public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    spdlog::memory_buf_t at;
    when_.format(message, at);
    const nlohmann::json line = {{"at", std::string{at.data(), at.size()}},
                                 {"level", std::string{spdlog::level::to_string_view(message.level).data()}},
                                 {"message", std::string{message.payload.data(), message.payload.size()}}};
    const auto text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<json_formatter>(); }

private:
  spdlog::pattern_formatter when_{"%Y-%m-%dT%H:%M:%S.%eZ", spdlog::pattern_time_type::utc, ""};
};

} // namespace

void set_up_logging(const std::string& format, const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("poseidon", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  if (format == "json") logger->set_formatter(std::make_unique<json_formatter>());
  else logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %v", spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
}

void set_log_level(const std::string& level) {
  const auto wanted = spdlog::level::from_str(level), before = spdlog::get_level();
  if (wanted == before) return;
  spdlog::set_level(std::min(wanted, before)); // told while either of the two would
  spdlog::info("log level: {}", level);
  spdlog::set_level(wanted);
}

} // namespace poseidon
