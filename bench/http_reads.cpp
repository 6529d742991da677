#include "bench/http_reads.hpp"

#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace poseidon::bench {

int connect_to(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(s, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error("cannot connect to the gateway");
  return s;
}

void read_answer(int socket, std::string& buffer) {
  buffer.clear();
  char bytes[8192];
  for (;;) {
    auto n = ::recv(socket, bytes, sizeof bytes, 0);
    if (n <= 0) throw std::runtime_error("the gateway closed a connection");
    buffer.append(bytes, static_cast<std::size_t>(n));
    auto head = buffer.find("\r\n\r\n");
    if (head == std::string::npos) continue;
    auto length = buffer.find("Content-Length: ");
    if (buffer.compare(0, 12, "HTTP/1.1 200") != 0 || length > head) throw std::runtime_error("an answer is not 200: " + buffer.substr(0, 200));
    if (buffer.size() >= head + 4 + std::stoul(buffer.substr(length + 16))) return;
  }
}

std::string get_request(const std::string& path, const std::string& token) {
  return "GET " + path + " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + token + "\r\n\r\n";
}

} // namespace poseidon::bench
