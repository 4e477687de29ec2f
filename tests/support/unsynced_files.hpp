// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/file_system.hpp"

namespace vibes::test {

/// The machine's files without their syncs: a killed process loses nothing that it has written, so
/// they would only take time here. (What a machine that dies loses is tested on a SimDisk.)
class UnsyncedFile : public io::File {
 public:
  explicit UnsyncedFile(std::unique_ptr<io::File> real) : real_(std::move(real)) {}
  Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> into) const override {
    return real_->read_at(position, into);
  }
  Result<void> write_at(std::uint64_t position, std::span<const std::byte> from) override {
    return real_->write_at(position, from);
  }
  Result<void> sync_data() override { return {}; }
  Result<void> truncate(std::uint64_t size) override { return real_->truncate(size); }
  Result<void> allocate(std::uint64_t size) override { return real_->allocate(size); }
  [[nodiscard]] Result<std::uint64_t> size() const override { return real_->size(); }
  Result<void> drop_cache() override { return real_->drop_cache(); }

 private:
  const std::unique_ptr<io::File> real_;
};

class UnsyncedFileSystem : public io::FileSystem {
 public:
  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override {
    VIBES_TRY_ASSIGN(file, real_.open(path, mode));
    return std::unique_ptr<io::File>(std::make_unique<UnsyncedFile>(std::move(file)));
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return real_.rename(from, to);
  }
  Result<void> remove(const std::string& path) override { return real_.remove(path); }
  Result<void> sync_directory(const std::string& /*directory*/) override { return {}; }
  Result<void> make_directory(const std::string& path) override {
    return real_.make_directory(path);
  }
  Result<std::vector<std::string>> list(const std::string& directory) override {
    return real_.list(directory);
  }
  Result<bool> exists(const std::string& path) override { return real_.exists(path); }
  Result<std::unique_ptr<io::FileLock>> lock(const std::string& path,
                                             const std::string& holder) override {
    return real_.lock(path, holder);
  }
  Result<void> check_private(const std::string& directory) override {
    return real_.check_private(directory);
  }
  Result<std::uint64_t> free_bytes(const std::string& directory) override {
    return real_.free_bytes(directory);
  }

 private:
  io::FileSystem& real_ = io::posix_file_system();
};

}  // namespace vibes::test
