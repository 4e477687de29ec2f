// SPDX-License-Identifier: MIT
#include "io/sim_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

namespace vibes::io {
namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::uint64_t mix(std::uint64_t seed, const void* data, std::size_t size) {
  const std::string_view bytes(static_cast<const char*>(data), size);
  return (seed ^ std::hash<std::string_view>{}(bytes)) * 0x9e3779b97f4a7c15ULL + 1;
}

void apply_change(std::map<std::string, std::uint64_t>& names, const SimDisk::NameChange& change) {
  if (!change.removed.empty()) {
    names.erase(change.removed);
  }
  if (!change.added.empty()) {
    names[change.added] = change.inode;
  }
}

}  // namespace

std::size_t SimDisk::State::undecided() const {
  std::size_t count = name_changes.size();
  for (const auto& [number, inode] : inodes) {
    count += inode.dirty.size() + (inode.cache.size() != inode.disk.size() ? 1 : 0);
  }
  return count;
}

SimDisk::State SimDisk::State::crashed(const std::function<bool(std::size_t)>& survives) const {
  State after;
  after.next_inode = next_inode;
  std::size_t next = 0;
  for (const auto& [number, inode] : inodes) {
    Inode left;
    left.disk = inode.disk;
    if (inode.cache.size() != inode.disk.size() && survives(next++)) {
      left.disk.resize(inode.cache.size());
    }
    for (const std::uint64_t sector : inode.dirty) {
      const std::size_t start = sector * kSectorBytes;
      const std::size_t end =
          std::min({start + kSectorBytes, inode.cache.size(), left.disk.size()});
      if (survives(next++) && start < end) {
        std::copy(inode.cache.begin() + static_cast<std::ptrdiff_t>(start),
                  inode.cache.begin() + static_cast<std::ptrdiff_t>(end),
                  left.disk.begin() + static_cast<std::ptrdiff_t>(start));
      }
    }
    left.cache = left.disk;
    after.inodes.emplace(number, std::move(left));
  }
  after.disk_names = disk_names;
  for (const NameChange& change : name_changes) {
    if (survives(next++)) {
      apply_change(after.disk_names, change);
    }
  }
  // A name in a directory that is gone is gone too.
  std::erase_if(after.disk_names, [&](const auto& name) {
    return name.first != "/" && after.disk_names.count(parent_of(name.first)) == 0;
  });
  after.names = after.disk_names;
  return after;
}

std::uint64_t SimDisk::State::hash() const {
  std::uint64_t sum = 0;
  for (const auto& [path, number] : names) {
    sum = mix(sum, path.data(), path.size());
    if (number != kDirectory) {
      const auto& bytes = inodes.at(number).cache;
      sum = mix(sum, bytes.data(), bytes.size());
    }
  }
  return sum;
}

SimDisk::SimDisk() {
  state_.names["/"] = State::kDirectory;
  state_.disk_names = state_.names;
}

SimDisk::SimDisk(State state) : state_(std::move(state)) {}

SimDisk::State SimDisk::state() const {
  const MutexLock lock(mutex_);
  return state_;
}

void SimDisk::on_change(std::function<void(const State&)> observer) {
  const MutexLock lock(mutex_);
  observer_ = std::move(observer);
}

void SimDisk::inject(const Fault& fault) {
  const MutexLock lock(mutex_);
  fault_ = fault;
  fault_calls_ = 0;
  struck_ = false;
}

void SimDisk::heal() {
  const MutexLock lock(mutex_);
  fault_.reset();
}

bool SimDisk::struck() const {
  const MutexLock lock(mutex_);
  return struck_;
}

std::uint64_t SimDisk::syncs() const {
  const MutexLock lock(mutex_);
  return syncs_;
}

void SimDisk::set_free_bytes(std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  free_bytes_ = bytes;
}

std::vector<std::string> SimDisk::files() const {
  const MutexLock lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, number] : state_.names) {
    if (number != State::kDirectory) {
      paths.push_back(path);
    }
  }
  return paths;
}

std::vector<std::byte> SimDisk::contents(const std::string& path) const {
  const MutexLock lock(mutex_);
  return state_.inodes.at(state_.names.at(path)).cache;
}

void SimDisk::set_contents(const std::string& path, std::vector<std::byte> bytes) {
  const MutexLock lock(mutex_);
  auto [it, created] = state_.names.try_emplace(path, state_.next_inode);
  if (created) {
    ++state_.next_inode;
  }
  state_.disk_names[path] = it->second;
  Inode& inode = state_.inodes[it->second];
  inode.cache = bytes;
  inode.disk = std::move(bytes);
  inode.dirty.clear();
}

int SimDisk::strikes(Call call) {
  if (!fault_ || (fault_->calls & static_cast<unsigned>(call)) == 0) {
    return 0;
  }
  ++fault_calls_;
  if (fault_calls_ == fault_->at || (fault_->from_then_on && fault_calls_ > fault_->at)) {
    struck_ = true;
    return fault_->error;
  }
  return 0;
}

void SimDisk::changed() {
  if (observer_) {
    observer_(state_);
  }
}

SimDisk::Inode* SimDisk::inode_of(const std::string& path) {
  const auto it = state_.names.find(path);
  return it == state_.names.end() || it->second == State::kDirectory
             ? nullptr
             : &state_.inodes.at(it->second);
}

void SimDisk::put(Inode& inode, std::uint64_t position, std::span<const std::byte> from) {
  if (from.empty()) {
    return;
  }
  if (inode.cache.size() < position + from.size()) {
    inode.cache.resize(position + from.size());
  }
  std::copy(from.begin(), from.end(), inode.cache.begin() + static_cast<std::ptrdiff_t>(position));
  for (std::uint64_t sector = position / kSectorBytes;
       sector <= (position + from.size() - 1) / kSectorBytes; ++sector) {
    inode.dirty.insert(sector);
  }
}

void SimDisk::resize(Inode& inode, std::uint64_t size) {
  const std::uint64_t before = inode.cache.size();
  inode.cache.resize(size);
  // What was cut off may come back if the file grows again before it is synced.
  for (std::uint64_t sector = size / kSectorBytes; sector * kSectorBytes < before; ++sector) {
    inode.dirty.insert(sector);
  }
}

class SimFile final : public File {
 public:
  SimFile(SimDisk& disk, std::uint64_t inode, std::string path)
      : disk_(disk), number_(inode), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> into) const override {
    const MutexLock lock(disk_.mutex_);
    if (const int error = disk_.strikes(SimDisk::Call::read)) {
      return fail_errno(error, "cannot read " + path_ + " at byte " + std::to_string(position));
    }
    const auto& bytes = disk_.state_.inodes.at(number_).cache;
    if (position >= bytes.size()) {
      return std::size_t{0};
    }
    const std::size_t size = std::min<std::size_t>(into.size(), bytes.size() - position);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(position), size, into.begin());
    return size;
  }

  Result<void> write_at(std::uint64_t position, std::span<const std::byte> from) override {
    const MutexLock lock(disk_.mutex_);
    auto& inode = disk_.state_.inodes.at(number_);
    if (const int error = disk_.strikes(SimDisk::Call::write)) {
      SimDisk::put(inode, position, from.first(from.size() / 2));
      disk_.changed();
      return fail_errno(error, "cannot write " + path_ + " at byte " + std::to_string(position));
    }
    SimDisk::put(inode, position, from);
    disk_.changed();
    return {};
  }

  Result<void> sync_data() override {
    const MutexLock lock(disk_.mutex_);
    auto& inode = disk_.state_.inodes.at(number_);
    ++disk_.syncs_;
    if (const int error = disk_.strikes(SimDisk::Call::sync)) {
      // The kernel marks the pages clean: the next sync succeeds, the data is not on disk.
      inode.dirty.clear();
      inode.disk.resize(inode.cache.size());
      return fail_errno(error, "cannot sync " + path_);
    }
    if (inode.dirty.size() * SimDisk::kSectorBytes >= inode.cache.size()) {
      inode.disk = inode.cache;
    } else {
      inode.disk.resize(inode.cache.size());
      copy_dirty(inode, inode.disk);
    }
    inode.dirty.clear();
    disk_.changed();
    return {};
  }

  Result<void> truncate(std::uint64_t size) override {
    return change_size(SimDisk::Call::truncate, size);
  }

  Result<void> allocate(std::uint64_t size) override {
    VIBES_TRY_ASSIGN(now, this->size());
    return change_size(SimDisk::Call::allocate, std::max(now, size));
  }

  [[nodiscard]] Result<std::uint64_t> size() const override {
    const MutexLock lock(disk_.mutex_);
    return std::uint64_t{disk_.state_.inodes.at(number_).cache.size()};
  }

  Result<void> drop_cache() override {
    const MutexLock lock(disk_.mutex_);
    auto& inode = disk_.state_.inodes.at(number_);
    auto from_disk = inode.disk;
    from_disk.resize(inode.cache.size());
    copy_dirty(inode, from_disk);
    inode.cache = std::move(from_disk);
    return {};
  }

 private:
  /// Copies what is only in the cache yet into `to`, which has the cache's size.
  static void copy_dirty(const SimDisk::Inode& inode, std::vector<std::byte>& to) {
    for (const std::uint64_t sector : inode.dirty) {
      const std::size_t start = sector * SimDisk::kSectorBytes;
      const std::size_t end = std::min(start + SimDisk::kSectorBytes, inode.cache.size());
      if (start < end) {
        std::copy(inode.cache.begin() + static_cast<std::ptrdiff_t>(start),
                  inode.cache.begin() + static_cast<std::ptrdiff_t>(end),
                  to.begin() + static_cast<std::ptrdiff_t>(start));
      }
    }
  }

  Result<void> change_size(SimDisk::Call call, std::uint64_t size) {
    const MutexLock lock(disk_.mutex_);
    if (const int error = disk_.strikes(call)) {
      return fail_errno(error, "cannot resize " + path_);
    }
    SimDisk::resize(disk_.state_.inodes.at(number_), size);
    disk_.changed();
    return {};
  }

  SimDisk& disk_;
  std::uint64_t number_;
  std::string path_;
};

class SimLock final : public FileLock {
 public:
  SimLock(SimDisk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  SimLock(const SimLock&) = delete;
  SimLock& operator=(const SimLock&) = delete;
  ~SimLock() override {
    const MutexLock lock(disk_.mutex_);
    disk_.locks_.erase(path_);
  }
  Result<void> check() override { return {}; }

 private:
  SimDisk& disk_;
  std::string path_;
};

Result<std::unique_ptr<File>> SimDisk::open(const std::string& path, OpenMode mode) {
  const MutexLock lock(mutex_);
  if (const int error = strikes(Call::open)) {
    return fail_errno(error, "cannot open " + path);
  }
  auto it = state_.names.find(path);
  if (mode == OpenMode::create_new) {
    if (it != state_.names.end()) {
      return fail_errno(EEXIST, "cannot open " + path);
    }
    const std::uint64_t number = state_.next_inode++;
    state_.inodes.emplace(number, Inode{});
    make_change({parent_of(path), {}, path, number});
    it = state_.names.find(path);
  }
  if (it == state_.names.end() || it->second == State::kDirectory) {
    return fail_errno(it == state_.names.end() ? ENOENT : EISDIR, "cannot open " + path);
  }
  return std::unique_ptr<File>(std::make_unique<SimFile>(*this, it->second, path));
}

void SimDisk::make_change(const NameChange& change) {
  apply_change(state_.names, change);
  state_.name_changes.push_back(change);
  changed();
}

Result<void> SimDisk::rename(const std::string& from, const std::string& to) {
  const MutexLock lock(mutex_);
  if (const int error = strikes(Call::rename)) {
    return fail_errno(error, "cannot rename " + from + " to " + to);
  }
  const auto it = state_.names.find(from);
  if (it == state_.names.end()) {
    return fail_errno(ENOENT, "cannot rename " + from + " to " + to);
  }
  make_change({parent_of(to), from, to, it->second});
  return {};
}

Result<void> SimDisk::remove(const std::string& path) {
  const MutexLock lock(mutex_);
  if (const int error = strikes(Call::remove)) {
    return fail_errno(error, "cannot remove " + path);
  }
  if (state_.names.find(path) == state_.names.end()) {
    return fail_errno(ENOENT, "cannot remove " + path);
  }
  make_change({parent_of(path), path, {}, 0});
  return {};
}

Result<void> SimDisk::sync_directory(const std::string& directory) {
  const MutexLock lock(mutex_);
  ++syncs_;
  if (const int error = strikes(Call::sync_directory)) {
    return fail_errno(error, "cannot sync directory " + directory);
  }
  std::vector<NameChange> others;
  for (NameChange& change : state_.name_changes) {
    if (change.directory == directory) {
      apply_change(state_.disk_names, change);
    } else {
      others.push_back(std::move(change));
    }
  }
  state_.name_changes = std::move(others);
  changed();
  return {};
}

Result<void> SimDisk::make_directory(const std::string& path) {
  const MutexLock lock(mutex_);
  if (const int error = strikes(Call::make_directory)) {
    return fail_errno(error, "cannot create directory " + path);
  }
  if (!state_.names.emplace(path, State::kDirectory).second) {
    return fail_errno(EEXIST, "cannot create directory " + path);
  }
  state_.name_changes.push_back({parent_of(path), {}, path, State::kDirectory});
  changed();
  return {};
}

Result<std::vector<std::string>> SimDisk::list(const std::string& directory) {
  const MutexLock lock(mutex_);
  if (const int error = strikes(Call::list)) {
    return fail_errno(error, "cannot list " + directory);
  }
  if (state_.names.find(directory) == state_.names.end()) {
    return fail_errno(ENOENT, "cannot list " + directory);
  }
  const std::string prefix = directory == "/" ? directory : directory + "/";
  std::vector<std::string> names;
  for (auto it = state_.names.upper_bound(prefix);
       it != state_.names.end() && it->first.starts_with(prefix); ++it) {
    const std::string name = it->first.substr(prefix.size());
    if (name.find('/') == std::string::npos) {
      names.push_back(name);
    }
  }
  return names;
}

Result<bool> SimDisk::exists(const std::string& path) {
  const MutexLock lock(mutex_);
  return state_.names.find(path) != state_.names.end();
}

Result<std::unique_ptr<FileLock>> SimDisk::lock(const std::string& path,
                                                const std::string& holder) {
  {
    const MutexLock lock(mutex_);
    if (!locks_.insert(path).second) {
      return fail_errno(EAGAIN, path + " is held");
    }
  }
  auto held = std::make_unique<SimLock>(*this, path);
  VIBES_TRY_ASSIGN(there, exists(path));
  VIBES_TRY_ASSIGN(file, open(path, there ? OpenMode::read_write : OpenMode::create_new));
  VIBES_TRY(file->truncate(0));
  VIBES_TRY(file->write_at(0, std::as_bytes(std::span(holder))));
  return std::unique_ptr<FileLock>(std::move(held));
}

Result<void> SimDisk::check_private(const std::string& directory) {
  const MutexLock lock(mutex_);
  const auto it = state_.names.find(directory);
  if (it == state_.names.end() || it->second != State::kDirectory) {
    return fail_errno(ENOTDIR, directory);
  }
  return {};
}

Result<std::uint64_t> SimDisk::free_bytes(const std::string& /*directory*/) {
  const MutexLock lock(mutex_);
  return free_bytes_;
}

}  // namespace vibes::io
