// SPDX-License-Identifier: MIT
#include "consumers/notifications/deliverer.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include <curl/curl.h>

#include "base/mutex.hpp"
#include "consumers/notifications/transfer.hpp"

namespace vibes::consumers {
namespace {

using Time = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

/// Without anything due, the loop still looks around this often.
constexpr milliseconds kIdle{60'000};
/// Endpoints remembered for their silence; then it is learned anew.
constexpr std::size_t kSilentMax = 4 * limits::kPushSubscriptionsMax;

struct Job {
  Delivery delivery;
  DeliveryDone done;
  unsigned attempts = 0;
};

/// What waits for one endpoint; the first is the one under way.
struct Queue {
  std::deque<Job> jobs;
  std::unique_ptr<Transfer> transfer;  // of the first job; null between tries
  Time not_before{};
  bool doubted = false;  // the transfer is to an endpoint that did not answer the last time
};

bool is_worth_another_try(long status) { return status == 0 || status == 429 || status >= 500; }

Delivered::Kind kind_of(long status) {
  if (status >= 200 && status < 300) {
    return Delivered::Kind::sent;
  }
  return status == 404 || status == 410 ? Delivered::Kind::gone : Delivered::Kind::refused;
}

std::string detail_of(const Transfer::Answer& answer) {
  return answer.status == 0 ? answer.error : "HTTP status " + std::to_string(answer.status);
}

}  // namespace

class Deliverer::Loop {
 public:
  Loop(CURLM* multi, const DelivererOptions& options)
      : options_(options), multi_(multi, ::curl_multi_cleanup) {
    // By itself curl keeps a few for each transfer under way, that is none once a burst is over.
    (void)::curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
                              static_cast<long>(options.transfers_max));
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() {
    thread_.request_stop();
    wake();
    thread_.join();
    for (auto& [url, queue] : queues_) {
      end_transfer(queue);
    }
  }

  void post(Job job) {
    {
      const MutexLock lock(mutex_);
      inbox_.push_back(std::move(job));
    }
    wake();
  }

 private:
  void wake() { (void)::curl_multi_wakeup(multi_.get()); }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      take_inbox();
      start_what_is_due();
      int running = 0;
      (void)::curl_multi_perform(multi_.get(), &running);
      if (!collect()) {
        (void)::curl_multi_poll(multi_.get(), nullptr, 0, patience(), nullptr);
      }
    }
  }

  void take_inbox() {
    std::deque<Job> taken;
    {
      const MutexLock lock(mutex_);
      taken.swap(inbox_);
    }
    for (Job& job : taken) {
      Queue& queue = queues_[job.delivery.endpoint.url];
      if (queue.jobs.size() > options_.waiting_max) {
        job.done({Delivered::Kind::crowded, 0, "too much waits for this endpoint"});
        continue;
      }
      queue.jobs.push_back(std::move(job));
    }
  }

  void start_what_is_due() {
    const Time now = std::chrono::steady_clock::now();
    for (auto& [url, queue] : queues_) {
      if (under_way_ >= options_.transfers_max) {
        return;
      }
      if (queue.transfer == nullptr && now >= queue.not_before) {
        queue.doubted = silent_.contains(url);
        if (!queue.doubted || doubted_under_way_ < options_.transfers_max / 2) {
          begin_transfer(url, queue);
        }
      }
    }
  }

  void begin_transfer(const std::string& url, Queue& queue) {
    Job& job = queue.jobs.front();
    ++job.attempts;
    queue.transfer = std::make_unique<Transfer>(job.delivery, options_.within);
    (void)::curl_easy_setopt(queue.transfer->easy(), CURLOPT_PRIVATE, url.c_str());
    (void)::curl_multi_add_handle(multi_.get(), queue.transfer->easy());
    ++under_way_;
    doubted_under_way_ += queue.doubted ? 1U : 0U;
  }

  /// True if anything ended, so that its place may be taken.
  bool collect() {
    bool any = false;
    int left = 0;
    while (CURLMsg* message = ::curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) {
        continue;
      }
      any = true;
      const CURLcode code = message->data.result;
      const char* url = nullptr;
      (void)::curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &url);
      const auto found = queues_.find(url);
      const Transfer::Answer answer = found->second.transfer->answer(code);
      note_silence(found->first, answer);
      settle(found->second, answer);
      if (found->second.jobs.empty()) {
        queues_.erase(found);
      }
    }
    return any;
  }

  void note_silence(const std::string& url, const Transfer::Answer& answer) {
    if (answer.status != 0) {
      silent_.erase(url);
      return;
    }
    if (silent_.size() >= kSilentMax) {
      silent_.clear();
    }
    silent_.insert(url);
  }

  void settle(Queue& queue, const Transfer::Answer& answer) {
    end_transfer(queue);
    Job& job = queue.jobs.front();
    const bool again = is_worth_another_try(answer.status);
    if (again && job.attempts < limits::kNotificationAttemptsMax) {
      queue.not_before = std::chrono::steady_clock::now() + pause_after(job, answer);
      return;
    }
    const Delivered result{again ? Delivered::Kind::given_up : kind_of(answer.status), job.attempts,
                           detail_of(answer)};
    const DeliveryDone done = std::move(job.done);
    queue.jobs.pop_front();
    queue.not_before = {};
    done(result);
  }

  [[nodiscard]] milliseconds pause_after(const Job& job, const Transfer::Answer& answer) const {
    const milliseconds grown = options_.retry_first * (1U << (job.attempts - 1));
    return std::max(grown, std::min<milliseconds>(answer.retry_after, options_.retry_after_max));
  }

  void end_transfer(Queue& queue) {
    if (queue.transfer != nullptr) {
      (void)::curl_multi_remove_handle(multi_.get(), queue.transfer->easy());
      queue.transfer.reset();
      --under_way_;
      doubted_under_way_ -= queue.doubted ? 1U : 0U;
    }
  }

  /// Milliseconds until something is due. What is under way wakes curl itself.
  [[nodiscard]] int patience() const {
    const Time now = std::chrono::steady_clock::now();
    milliseconds least = kIdle;
    for (const auto& [url, queue] : queues_) {
      if (queue.transfer == nullptr && queue.not_before > now) {
        least = std::min(least, std::chrono::ceil<milliseconds>(queue.not_before - now));
      }
    }
    return static_cast<int>(least.count());
  }

  const DelivererOptions options_;
  const std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> multi_;
  // Of the loop's thread.
  std::map<std::string, Queue> queues_;  // by URL; none is empty
  std::size_t under_way_ = 0;
  std::size_t doubted_under_way_ = 0;
  std::set<std::string> silent_;  // URLs that gave no status the last time
  Mutex mutex_;
  std::deque<Job> inbox_ VIBES_GUARDED_BY(mutex_);
  std::jthread thread_;
};

Result<std::unique_ptr<Deliverer>> Deliverer::start(const DelivererOptions& options) {
  // Once for the process, before anybody else may use curl; a second call does nothing.
  static const CURLcode kReady = ::curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* multi = kReady == CURLE_OK ? ::curl_multi_init() : nullptr;
  if (multi == nullptr) {
    return fail(std::make_error_code(std::errc::not_enough_memory), "cannot set up libcurl");
  }
  return std::unique_ptr<Deliverer>(new Deliverer(std::make_unique<Loop>(multi, options)));
}

Deliverer::Deliverer(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
Deliverer::~Deliverer() = default;

void Deliverer::post(Delivery delivery, DeliveryDone done) {
  loop_->post({std::move(delivery), std::move(done)});
}

}  // namespace vibes::consumers
