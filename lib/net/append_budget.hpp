// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

#include "base/limits.hpp"

namespace vibes::net {

/// How many bytes of appended, unacknowledged events the whole server may hold, over all
/// connections. Taking never waits: who gets nothing stops reading its socket and tries again.
/// Thread-safe.
class AppendBudget {
 public:
  explicit AppendBudget(std::size_t bytes_max = limits::kUnackedBytesTotal)
      : bytes_max_(bytes_max) {}
  AppendBudget(const AppendBudget&) = delete;
  AppendBudget& operator=(const AppendBudget&) = delete;

  /// A share of the budget, given back when destroyed. It must not outlive its budget.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() {
      if (budget_ != nullptr) {
        budget_->used_.fetch_sub(bytes_, std::memory_order_relaxed);
      }
    }
    /// Takes another share of the same budget over.
    void add(Share other) {
      if (budget_ == nullptr) {
        *this = std::move(other);
      } else {
        bytes_ += std::exchange(other.bytes_, 0);
      }
    }
    /// False: the budget was used up, nothing was taken.
    explicit operator bool() const { return budget_ != nullptr; }

   private:
    friend class AppendBudget;
    Share(AppendBudget* budget, std::size_t bytes) : budget_(budget), bytes_(bytes) {}
    AppendBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  /// Takes `bytes`, or nothing where they would exceed the budget.
  [[nodiscard]] Share take(std::size_t bytes) {
    const std::size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes > bytes_max_) {
      used_.fetch_sub(bytes, std::memory_order_relaxed);
      return {};
    }
    return {this, bytes};
  }
  [[nodiscard]] std::size_t used_bytes() const { return used_.load(std::memory_order_relaxed); }

 private:
  const std::size_t bytes_max_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace vibes::net
