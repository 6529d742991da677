#include "nodes/runtime/engine/error_map.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace poseidon::engine {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool has(const std::string& text, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const char* part) { return text.find(part) != std::string::npos; });
}

const char* permission_hint(const std::string& text) {
  if (has(text, {"read-only file system"}))
    return "set instance.read_only: false, or list the folder under instance.tmpfs";
  if (has(text, {"chown", "setuid", "setgid", "setgroups", "initgroups"}))
    return "add CHOWN, SETUID and SETGID to instance.capabilities, or set instance.security: docker";
  if (has(text, {"bind", "listen"}))
    return "add NET_BIND_SERVICE to instance.capabilities, or listen on a port above 1023";
  return "add the capability that it needs to instance.capabilities, or set instance.security: docker; sudo and other "
         "setuid programs need instance.no_new_privileges: false";
}

bool denies(const std::string& text) {
  return has(text, {"operation not permitted", "permission denied", "read-only file system"});
}

errc pull_error(unsigned status, const std::string& text) {
  if (has(text, {"manifest unknown", "not found: manifest", "no matching manifest"})) return errc::image_missing;
  if (has(text, {"access denied", "unauthorized", "denied:", "no basic auth", "authentication required",
                 "incorrect username", "403 forbidden"}))
    return errc::image_denied;
  if (status == 404 || has(text, {"name unknown", "repository name not known"})) return errc::image_missing;
  if (status == 400 || has(text, {"invalid reference format"})) return errc::invalid_spec;
  return errc::image_pull_failed;
}

errc start_error(unsigned status, const std::string& text) {
  if (has(text, {"oom-kill", "oom kill", "cannot allocate memory", "out of memory"})) return errc::out_of_memory;
  if (has(text, {"operation not permitted"})) return errc::operation_not_permitted;
  if (has(text, {"executable file not found", "no such file or directory", "permission denied", "is a directory",
                 "exec format error", "unable to find user", "no matching entries in passwd",
                 "starting container process caused", "oci runtime"}))
    return errc::start_refused;
  return status == 400 ? errc::invalid_spec : errc::engine_error;
}

errc create_error(unsigned status, const std::string& text) {
  if (has(text, {"no such image"})) return errc::image_missing;
  if (has(text, {"already in use"})) return errc::name_conflict;
  if (status == 409) return errc::name_conflict;
  return status == 400 || has(text, {"invalid ", "unknown runtime", "minimum memory limit"}) ? errc::invalid_spec
                                                                                             : errc::engine_error;
}

errc classify(engine_call call, unsigned status, const std::string& text) {
  if (has(text, {"no space left on device", "disk quota exceeded"})) return errc::no_space;
  switch (call) {
  case engine_call::pull:
    return pull_error(status, text);
  case engine_call::start:
    return start_error(status, text);
  case engine_call::create:
    return create_error(status, text);
  case engine_call::network:
    if (status == 409 || has(text, {"already exists"})) return errc::name_conflict;
    return errc::engine_error;
  case engine_call::remove:
  case engine_call::inspect:
  case engine_call::other:
    return status == 404 ? errc::unknown_instance : errc::engine_error;
  }
  return errc::engine_error;
}

} // namespace

std::string error_message(const std::string& body) {
  auto parsed = nlohmann::json::parse(body, nullptr, false);
  if (parsed.is_object()) {
    auto message = parsed.find("message");
    if (message != parsed.end() && message->is_string()) return message->get<std::string>();
    auto cause = parsed.find("cause");
    if (cause != parsed.end() && cause->is_string()) return cause->get<std::string>();
  }
  auto text = body.substr(0, 500);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  return text;
}

bool means_leftover(const std::string& message) {
  auto text = lower(message);
  bool task = has(text, {"task "}) && has(text, {"already exists"});
  // containerd is still clearing its folder.
  task = task || (has(text, {"failed to start shim"}) && has(text, {"file exists"}));
  return task || has(text, {"id already in use", "container with given id already exists"});
}

failure map_error(engine_call call, unsigned status, const std::string& message, const std::string& subject) {
  auto text = lower(message);
  failure mapped;
  mapped.code = classify(call, status, text);
  mapped.detail = subject.empty() ? message : subject + ": " + message;
  if (message.empty()) mapped.detail += "the engine answered " + std::to_string(status);
  if (mapped.code == errc::operation_not_permitted) mapped.detail += "; " + std::string(permission_hint(text));
  if (mapped.code == errc::image_pull_failed && has(text, {"toomanyrequests", "too many requests"}))
    mapped.retry_after_ms = 60'000;
  return mapped;
}

failure map_early_exit(std::int32_t exit_code, bool out_of_memory, const std::string& state_error,
                       std::string log_tail) {
  failure mapped;
  if (out_of_memory) {
    mapped.code = errc::out_of_memory;
    mapped.detail = "killed for want of memory at start; raise instance.limits.memory";
  } else if (auto text = lower(log_tail + state_error); denies(text)) {
    mapped.code = errc::operation_not_permitted;
    mapped.detail = "exited with code " + std::to_string(exit_code) + ", not permitted; " + permission_hint(text);
  } else {
    mapped.code = errc::exited_at_start;
    mapped.detail = "exited at once with code " + std::to_string(exit_code);
    if (!state_error.empty()) mapped.detail += ": " + state_error;
  }
  mapped.log_tail = std::move(log_tail);
  return mapped;
}

} // namespace poseidon::engine
