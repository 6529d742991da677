// What nearly every test of actors includes, compiled once.
#include "cmake/pch_test.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
