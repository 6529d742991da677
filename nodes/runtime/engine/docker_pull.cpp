// Bringing images: one pull an image, however many wait for it.

#include "nodes/runtime/engine/docker_core.hpp"

#include "nodes/runtime/engine/credentials.hpp"
#include "nodes/runtime/engine/events.hpp"
#include "nodes/runtime/engine/image_reference.hpp"
#include "nodes/runtime/engine/pull_progress.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <fstream>

namespace poseidon::engine {

namespace {
/// A pull that says nothing for so long has died.
constexpr millis pull_silence{60000};

/// What a pull's broken or late reply means for whoever wants the image.
failure no_pull(failure fault, const std::string& image) {
  if (fault.code != errc::engine_timeout) return fault;
  return fail(errc::image_pull_failed, image + " was not pulled in time: " + fault.detail);
}
} // namespace

task<outcome<done>> docker_core::pull(std::string image, millis timeout, std::function<void(std::uint32_t)> progress) {
  if (!info_) co_return fail(errc::engine_unavailable, "the engine has not been found yet");
  auto problem = co_await pull_shared(std::move(image), after(timeout), {}, std::move(progress));
  if (problem) co_return problem;
  co_return done();
}

task<failure> docker_core::pull_shared(std::string image, steady_time deadline, std::function<bool()> give_up,
                                       std::function<void(std::uint32_t)> progress) {
  auto& place = pulling_[image];
  if (!place) {
    place = std::make_shared<pull_record>();
    asio::co_spawn(*io_, run_pull(image, place), asio::detached);
  }
  auto record = place;
  std::uint32_t told = 0;
  while (!record->result) {
    if (give_up && give_up()) co_return fail(errc::superseded, "nobody waits for " + image + " any more");
    if (std::chrono::steady_clock::now() >= deadline)
      co_return fail(errc::image_pull_failed,
                     image + " was not pulled in time (" + std::to_string(record->percent) + " %)");
    co_await record->changed.wait(*io_, deadline);
    if (record->percent != told && progress) progress(record->percent);
    told = record->percent;
  }
  co_return *record->result;
}

/// Goes on when whoever asked first has left: the image will be wanted again.
task<void> docker_core::run_pull(std::string image, std::shared_ptr<pull_record> record) {
  auto finish = [&](failure result) {
    record->result = std::move(result);
    images_until_.reset();
    pulling_.erase(image);
    record->changed.notify_all();
  };
  auto reference = parse_image_reference(image);
  if (!reference) {
    finish(fail(errc::invalid_spec, image + " is not an image reference"));
    co_return;
  }
  auto place = co_await pulls_.acquire(*io_, after(std::chrono::hours(24)));
  if (!place) {
    finish(fail(errc::image_pull_failed, image + " waited a day for other pulls"));
    co_return;
  }
  http_request request;
  request.method = "POST";
  request.target =
      "/images/create?fromImage=" + url_encode(reference->pull_name()) + "&tag=" + url_encode(reference->pull_tag());
  request.registry_auth = registry_auth(reference->registry);
  pull_progress folded;
  json_splitter splitter;
  auto* raw = record.get();
  std::function<bool(std::string_view)> sink = [&folded, &splitter, raw](std::string_view bytes) {
    for (auto& message : splitter.feed(bytes))
      if (folded.feed(message)) {
        raw->percent = folded.percent();
        raw->changed.notify_all();
      }
    return true;
  };
  auto control = std::make_shared<stream_control>();
  auto reply = co_await client_->stream(request, after(options_.pull_timeout), pull_silence, control, sink);
  if (reply.fault)
    finish(no_pull(reply.fault, image));
  else if (!reply.ok())
    finish(reply.why(engine_call::pull, image));
  else if (folded.error())
    finish(map_error(engine_call::pull, 0, *folded.error(), image));
  else
    finish(failure());
}

/// The header for a registry, of the configuration as it is now; empty: none.
std::string docker_core::registry_auth(const std::string& registry) {
  if (options_.docker_config.empty()) return {};
  std::ifstream in(options_.docker_config, std::ios::binary);
  if (!in) return {};
  std::string text{std::istreambuf_iterator<char>(in), {}};
  std::vector<field_problem> problems;
  auto logins = parse_logins(text, problems);
  for (auto& problem : problems)
    warn(options_.docker_config + ": " + problem.path + " " + problem.detail);
  auto found = logins.find(registry);
  return found == logins.end() ? std::string() : auth_header(found->second).reveal();
}

} // namespace poseidon::engine
