#pragma once
// msgpack, byte by byte: a writer that appends, and a reader that trusts nothing. The reader builds no tree, so a length
// that lies costs nothing; it never throws and never reads past the end.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace poseidon {

/// Appends msgpack to a string, each value in its shortest form.
class msgpack_writer {
public:
  explicit msgpack_writer(std::string& out) : out_(out) {}
  void nil() { byte(0xc0); }
  void boolean(bool value) { byte(value ? 0xc3 : 0xc2); }
  void uinteger(std::uint64_t value);
  void integer(std::int64_t value);
  void real(double value);
  void text(std::string_view value);
  void bytes(std::string_view value);
  void array(std::size_t size) { collection(size, 0x90, 0xdc); }
  void map(std::size_t size) { collection(size, 0x80, 0xde); }

private:
  void byte(unsigned value) { out_ += static_cast<char>(value); }
  void big_endian(std::uint64_t value, int size);
  void collection(std::size_t size, unsigned fix, unsigned sixteen);
  std::string& out_;
};

/// Reads msgpack from bytes of any origin. The first fault is kept; from then on every call answers false.
class msgpack_reader {
public:
  /// Memory that the values read may take is bounded by a multiple of the input's size.
  explicit msgpack_reader(std::string_view in) : in_(in), budget_((std::size_t{1} << 20) + 32 * in.size()) {}

  bool ok() const { return fault_.empty(); }
  bool at_end() const { return at_ == in_.size(); }
  std::size_t offset() const { return at_; }
  /// What is wrong, and where: "byte 17: not a string".
  const std::string& fault() const { return fault_; }
  /// Notes a fault at the place reached; false.
  bool fail(std::string_view why);

  /// True, and the nil is taken, when one comes next.
  bool nil();
  bool boolean(bool& value);
  bool uinteger(std::uint64_t& value);
  bool integer(std::int64_t& value);
  bool real(double& value);
  /// A str or a bin; a view into the input.
  bool text(std::string_view& value);
  bool array(std::size_t& size);
  bool map(std::size_t& size);
  /// Passes over one value of any kind and depth.
  bool skip();
  /// Takes from the memory budget; a fault when it is spent.
  bool spend(std::size_t bytes);
  /// Goes back to an offset read before.
  void rewind(std::size_t offset) { at_ = offset; }

private:
  bool next(unsigned& tag);
  bool big_endian(int size, std::uint64_t& value);
  bool take(std::size_t size, std::string_view& value);
  bool skip_one(std::uint64_t& pending);
  /// One integer; `negative` tells that `value` is to be read as std::int64_t.
  bool any_integer(std::uint64_t& value, bool& negative);

  std::string_view in_;
  std::size_t at_ = 0, budget_;
  std::string fault_;
};

} // namespace poseidon
