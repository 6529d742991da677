#pragma once
// A plain blocking HTTP client on a socket: sends the very bytes a test wants, and reads answers strictly. Every read has
// a limit, so a server that says nothing fails the test instead of hanging it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace poseidon::test {

struct http_answer {
  int status = 0;
  std::map<std::string, std::string> headers; ///< names in lower case
  std::string body;
  bool has(const std::string& name) const { return headers.contains(name); }
  std::string header(const std::string& name) const { return has(name) ? headers.at(name) : std::string{}; }
};

class http_client {
public:
  /// Connects to "http://host:port" or "unix:/path"; throws when that fails.
  explicit http_client(const std::string& url);
  ~http_client();
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  void send(std::string_view bytes);
  /// The next answer; nothing when the server closed instead. `bodiless`: an answer to HEAD.
  std::optional<http_answer> receive(bool bodiless = false);
  /// The head alone: of a stream.
  std::optional<http_answer> receive_head();
  /// The next chunk of a chunked body; nothing at its end.
  std::optional<std::string> receive_chunk();
  /// One server-sent event or comment (without its blank line), put together from chunks.
  std::optional<std::string> receive_event();
  /// True when the server has closed (within the read limit).
  bool closed_by_server();
  void shut_down_sending();

  /// One request on this connection.
  std::optional<http_answer> request(const std::string& method, const std::string& target, const std::string& body = {},
                                     const std::vector<std::pair<std::string, std::string>>& headers = {});

private:
  bool fill();
  std::optional<std::string> line();
  std::optional<std::string> take(std::size_t size);
  int socket_ = -1;
  std::string buffer_, events_;
};

} // namespace poseidon::test
