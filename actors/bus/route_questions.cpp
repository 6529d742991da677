#include "actors/bus/route_questions.hpp"

#include "actors/bus/wire.hpp"
#include "messages/subjects.hpp"

namespace poseidon {

void answer_route_questions(bus& over, const std::string& cluster, own_route find) {
  over.subscribe(subjects::route_questions(cluster), {}, [find = std::move(find)](bus_message asked) {
    const auto question = decode_ask_route(asked.frame);
    if (!question) return;
    auto found = find(question->host);
    if (!found) return;
    found->where = {};
    found->deadline.reset();
    asked.answer(encode_reply(outcome<route>{std::move(*found)}));
  });
}

void ask_for_route(bus& over, const std::string& cluster, const std::string& host, millis limit, std::function<void(std::optional<route>)> done) {
  over.request(subjects::route_questions(cluster), encode_frame(ask_route{host}), limit, [done = std::move(done)](outcome<std::string> frame) {
    auto reply = frame ? decode_reply<route>(*frame) : outcome<route>{std::move(frame.error)};
    done(reply ? std::optional{std::move(*reply)} : std::nullopt);
  });
}

} // namespace poseidon
