#include "nodes/notifier/webhook_form.hpp"

#include "messages/digest.hpp"

#include <algorithm>
#include <charconv>

namespace poseidon {
namespace {

constexpr auto agent = "Poseidon/" POSEIDON_VERSION;

bool is_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value > 0 && value < 65'536;
}

failure no_address() { return {errc::bad_request, "the receiver's address is not one like https://ctf.example/hooks/poseidon", {}, {}, {}}; }

} // namespace

std::string webhook_address::authority() const {
  auto text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (secure ? "443" : "80")) text += ":" + port;
  return text;
}

outcome<webhook_address> parse_webhook_address(const std::string& url) {
  webhook_address address;
  address.secure = url.starts_with("https://");
  const std::size_t start = address.secure ? 8 : 7;
  if (!address.secure && !url.starts_with("http://")) return no_address();
  const auto end = url.find_first_of("/?", start);
  auto host = url.substr(start, end == std::string::npos ? end : end - start);
  address.target = end == std::string::npos ? "/" : url.substr(end);
  if (address.target.front() == '?') address.target.insert(0, "/");
  address.port = address.secure ? "443" : "80";
  const auto bracket = host.starts_with('[') ? host.find(']') : std::string::npos;
  const auto colon = host.find(':', bracket == std::string::npos ? 0 : bracket);
  if (colon != std::string::npos) {
    address.port = host.substr(colon + 1);
    host.erase(colon);
  }
  address.host = bracket == std::string::npos ? host : host.substr(1, bracket - 1);
  if (address.host.empty() || !is_port(address.port)) return no_address();
  return address;
}

std::string sign_webhook(const secret& key, wall_time now, std::string_view body) {
  const auto t = std::to_string(now.ms / 1000);
  auto signed_text = t + ".";
  signed_text += body;
  return "t=" + t + ",v1=" + to_hex(hmac_sha256(key.reveal(), signed_text));
}

webhook_request webhook_request_of(const delivery_attempt& what, const secret& key, wall_time now) {
  webhook_request request;
  request.body = what.what->body;
  request.headers = {{"Content-Type", "application/json"},
                     {"User-Agent", agent},
                     {"Poseidon-Event-Id", what.what->id},
                     {"Poseidon-Event-Type", what.what->type},
                     {"Poseidon-Delivery-Attempt", std::to_string(what.number)},
                     {"Poseidon-Signature", sign_webhook(key, now, request.body)}};
  return request;
}

bool is_forbidden_address(std::string_view address) {
  if (address.starts_with("::ffff:")) address.remove_prefix(7);
  if (address.starts_with("169.254.") || address == "fd00:ec2::254") return true;
  // fe80::/10
  return address.size() > 3 && address.starts_with("fe") && std::string_view("89ab").find(address[2]) != std::string_view::npos;
}

std::optional<millis> parse_retry_after(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() || !(seconds >= 0) || seconds > 1e7) return std::nullopt;
  return millis{static_cast<std::int64_t>(seconds * 1000 + 0.999)};
}

} // namespace poseidon
