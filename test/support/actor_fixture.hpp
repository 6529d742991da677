#pragma once
// A GoogleTest fixture on an actor world (actor_world.hpp).

#include "test/support/actor_world.hpp"

#include <gtest/gtest.h>

namespace poseidon::test {

/// A test with a world of its own.
class actor_test : public ::testing::Test {
protected:
  actor_world world;
  virtual_clock& time = world.time;
  caf::actor_system& system = world.system;
  void run() { world.run(); }
  void advance(millis span) { world.advance(span); }
};

} // namespace poseidon::test
