// SPDX-License-Identifier: MIT
#include "eventlog/iggy/make_stream.hpp"

#include <filesystem>
#include <string>
#include <utility>

#include "eventlog/errc.hpp"
#include "eventlog/iggy/iggy_server.hpp"
#include "eventlog/iggy/iggy_stream.hpp"

namespace vibes::eventlog::iggy {
namespace {

constexpr std::string_view kOwnScheme = "iggy:";

/// The stream of a server of our own.
class SupervisedStream final : public remote::RemoteStream {
 public:
  SupervisedStream(std::unique_ptr<IggyServer> server, std::string url)
      : server_(std::move(server)), stream_(server_->options()), url_(std::move(url)) {}
  ~SupervisedStream() override { shut_down(); }

  Result<void> open(std::chrono::milliseconds within) override {
    const auto began = std::chrono::steady_clock::now();
    VIBES_TRY(server_->start(within));
    const auto left = within - (std::chrono::steady_clock::now() - began);
    return stream_.open(
        std::max(std::chrono::ceil<std::chrono::milliseconds>(left), limits::kEngineRequestWithin));
  }
  Result<remote::StreamFacts> facts() override { return stream_.facts(); }
  Result<void> publish(const remote::RemoteBatch& batch, std::uint64_t last_sequence,
                       Published done) override {
    return stream_.publish(batch, last_sequence, std::move(done));
  }
  Result<std::vector<remote::RemoteMessage>> follow(std::uint64_t sequence,
                                                    std::chrono::milliseconds wait,
                                                    std::stop_token stop) override {
    return stream_.follow(sequence, wait, std::move(stop));
  }
  [[nodiscard]] bool is_connected() const override { return stream_.is_connected(); }
  void on_connection_changed(std::function<void()> listener) override {
    stream_.on_connection_changed(std::move(listener));
  }
  [[nodiscard]] remote::RemoteGroups& groups() override { return stream_.groups(); }
  [[nodiscard]] std::string url() const override { return url_; }
  void close() override { shut_down(); }

 private:
  void shut_down() {
    stream_.close();
    server_->stop();
  }

  std::unique_ptr<IggyServer> server_;
  IggyStream stream_;
  const std::string url_;
};

}  // namespace

bool is_iggy_url(std::string_view url) {
  return url.starts_with(kOwnScheme) || url.starts_with("iggy+");
}

Result<std::unique_ptr<remote::RemoteStream>> make_stream(std::string_view url) {
  using Stream = std::unique_ptr<remote::RemoteStream>;
  if (!url.starts_with(kOwnScheme)) {
    VIBES_TRY_ASSIGN(options, parse_iggy_url(url));
    return Stream(std::make_unique<IggyStream>(std::move(options)));
  }
  const std::string_view path = url.substr(kOwnScheme.size());
  std::error_code error;
  const std::string directory =
      std::filesystem::absolute(std::filesystem::path(path), error).lexically_normal().string();
  if (path.empty() || path.starts_with("//") || error) {
    return fail(Errc::bad_url, "'" + std::string(url) + "' names no directory; use iggy:DIR");
  }
  VIBES_TRY_ASSIGN(server, IggyServer::make(directory));
  return Stream(std::make_unique<SupervisedStream>(std::move(server), "iggy:" + directory));
}

}  // namespace vibes::eventlog::iggy
