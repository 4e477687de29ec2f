// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "io/file_system.hpp"
#include "support/unsynced_files.hpp"
#include "unit/consumers/crash/steps.hpp"

namespace vibes::test {

/// A file whose every change is a step, and a write one more: half of it done.
class SteppingFile final : public UnsyncedFile {
 public:
  SteppingFile(std::unique_ptr<io::File> real, Steps& steps)
      : UnsyncedFile(std::move(real)), steps_(steps) {}
  Result<void> write_at(std::uint64_t position, std::span<const std::byte> from) override {
    steps_.reach("before write");
    VIBES_TRY(UnsyncedFile::write_at(position, from.first(from.size() / 2)));
    steps_.reach("in write");
    return UnsyncedFile::write_at(position, from);
  }
  Result<void> truncate(std::uint64_t size) override {
    steps_.reach("before truncate");
    return UnsyncedFile::truncate(size);
  }

 private:
  Steps& steps_;
};

/// Every change of a file or a directory is a step.
class SteppingFileSystem final : public UnsyncedFileSystem {
 public:
  explicit SteppingFileSystem(Steps& steps) : steps_(steps) {}
  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override {
    if (mode == io::OpenMode::create_new) {
      steps_.reach("before create");
    }
    VIBES_TRY_ASSIGN(file, UnsyncedFileSystem::open(path, mode));
    return std::unique_ptr<io::File>(std::make_unique<SteppingFile>(std::move(file), steps_));
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    steps_.reach("before rename");
    return UnsyncedFileSystem::rename(from, to);
  }
  Result<void> remove(const std::string& path) override {
    steps_.reach("before remove");
    return UnsyncedFileSystem::remove(path);
  }
  Result<void> make_directory(const std::string& path) override {
    steps_.reach("before make_directory");
    return UnsyncedFileSystem::make_directory(path);
  }

 private:
  Steps& steps_;
};

}  // namespace vibes::test
