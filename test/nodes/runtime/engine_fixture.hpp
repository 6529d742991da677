#pragma once
// A real engine for tests: its socket, a cluster name of the test's own, a dialer, and plans for small containers.

#include "nodes/dialer/dialer.hpp"
#include "nodes/dialer/dialer_client.hpp"
#include "nodes/runtime/docker_runtime.hpp"

#include <memory>
#include <string>
#include <thread>

namespace poseidon::test {

/// The engine's address: POSEIDON_TEST_ENGINE, DOCKER_HOST, or the usual socket. Throws, with what to do, when none
/// answers.
std::string engine_address();

/// Path part of the address.
std::string engine_socket();

/// One raw HTTP call to an engine, blocking.
std::string call_engine(const std::string& socket_path, const std::string& method, const std::string& path,
                        const std::string& body, unsigned* status, const std::string& content_type = "application/json",
                        const std::string& registry_auth = {});

/// Imports poseidon-test/busybox where it is missing.
void ensure_test_image(const std::string& socket_path);

/// One raw HTTP call to the engine, blocking: what the tests compare with. Returns the body; `status` may be null.
std::string engine_call(const std::string& method, const std::string& path, const std::string& body = {},
                        unsigned* status = nullptr);

/// The one dialer of this test program, forked before any thread (see engine_fixture.cpp).
dialer_client& shared_dialer();
namespace_dial dial_inside();
signaller signal_inside();
shim_ender end_shim();

/// A folder that goes with it.
class scratch_folder {
public:
  scratch_folder();
  ~scratch_folder();
  const std::string& path() const { return path_; }

private:
  std::string path_;
};

/// A cluster name of the test's own, on an engine that has the test image. Removes every object of it when it goes.
class test_cluster {
public:
  test_cluster();
  ~test_cluster();
  const std::string& name() const { return name_; }
  docker_options options() const;
  /// Containers of this cluster that exist now.
  std::size_t containers() const;

private:
  void remove_all() const;
  std::string name_;
  scratch_folder data_;
};

/// A plan with one service on the test image.
std::shared_ptr<launch_plan> small_plan(const std::string& instance, std::uint64_t sequence = 1);
/// The spec of a plan, to be changed by the test before use.
instance_spec& spec_of(launch_plan& plan);

} // namespace poseidon::test
