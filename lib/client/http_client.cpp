// SPDX-License-Identifier: MIT
#include "client/http_client.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/assert.hpp"
#include "client/errc.hpp"
#include "client/http_parser.hpp"
#include "client/socket_stream.hpp"

namespace vibes::client {
namespace {

HttpsExchange https_exchange = nullptr;  // NOLINT: set once, before threads start

struct WireError {
  std::string code;
  std::string message;
  std::size_t line = 0;
};

WireError wire_error(const std::string& body) {
  WireError wire;
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("error")) {
    return wire;
  }
  const auto& error = json["error"];
  if (error.is_string()) {
    wire.message = error.get<std::string>();
  } else if (error.is_object()) {
    const auto text = [&](const char* key) {
      const auto found = error.find(key);
      return found != error.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    wire.code = text("code");
    wire.message = text("message");
    const auto line = error.find("line");
    wire.line = line != error.end() && line->is_number_unsigned() ? line->get<std::size_t>() : 0;
  }
  return wire;
}

std::string head_of(const HttpRequest& request, const Target& target) {
  std::string head = request.method + " " + request.path +
                     " HTTP/1.1\r\nHost: " + target.endpoint.host_header() + "\r\n";
  if (!target.token.empty()) {
    head += "Authorization: Bearer " + target.token + "\r\n";
  }
  for (const auto& [name, value] : request.headers) {
    head.append(name).append(": ").append(value).append("\r\n");
  }
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  head += "\r\n";
  return head;
}

}  // namespace

std::optional<std::string_view> HttpResponse::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& header) { return header.first == name; });
  if (found == headers.end()) {
    return std::nullopt;
  }
  return found->second;
}

std::string http_error_code(const HttpResponse& response) { return wire_error(response.body).code; }

Error http_error(const HttpResponse& response) {
  const WireError wire = wire_error(response.body);
  std::string context = wire.message;
  if (!wire.code.empty()) {
    context = wire.code + (context.empty() ? "" : ": " + context);
  }
  if (wire.line != 0) {
    context += " (line " + std::to_string(wire.line) + ")";
  }
  if (context.empty()) {
    context = "HTTP status " + std::to_string(response.status);
  }
  return Error{make_error_code(errc_of(wire.code, response.status)), std::move(context)};
}

/// One kept connection; `left_over` are bytes read beyond the last answer.
class HttpClient::Connection {
 public:
  explicit Connection(SocketStream stream) : stream_(std::move(stream)) {}

  Result<void> ask(const HttpRequest& request, const Target& target, Deadline deadline) {
    heard_ = false;
    return stream_.write(head_of(request, target) + request.body, deadline);
  }

  Result<HttpResponse> answer(Deadline deadline) {
    HttpParser parser;
    while (!parser.is_done()) {
      VIBES_TRY_ASSIGN(more, stream_.read(bytes_, deadline));
      if (!more) {
        VIBES_TRY(parser.finish());
        break;
      }
      heard_ = true;
      VIBES_TRY(parser.feed(bytes_));
    }
    usable_ = parser.keeps_connection();
    return parser.take();
  }

  [[nodiscard]] bool usable() const { return usable_; }
  /// Whether a byte of the current answer has come.
  [[nodiscard]] bool heard() const { return heard_; }

 private:
  SocketStream stream_;
  std::string bytes_;
  bool usable_ = false;
  bool heard_ = false;
};

HttpClient::HttpClient(Target target) : target_(std::move(target)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Result<void> HttpClient::open(Deadline deadline) {
  if (connection_ == nullptr && target_.endpoint.transport != Endpoint::Transport::tls) {
    VIBES_TRY_ASSIGN(stream, SocketStream::connect(target_.endpoint, deadline));
    connection_ = std::make_unique<Connection>(std::move(stream));
  }
  return {};
}

Result<HttpResponse> HttpClient::send(const HttpRequest& request, Deadline deadline) {
  if (target_.endpoint.transport == Endpoint::Transport::tls) {
    if (https_exchange == nullptr) {
      return fail(make_error_code(Errc::bad_url), "https is not spoken here");
    }
    return https_exchange(target_, request, deadline);
  }
  const bool kept = connection_ != nullptr;
  VIBES_TRY(open(deadline));
  auto answer = exchange(request, deadline);
  const bool silent = !connection_->heard();
  if (!answer || !connection_->usable()) {
    connection_.reset();
  }
  const bool lost = !answer && answer.error().code == make_error_code(Errc::connection_lost);
  if (lost && kept && silent && request.method == "GET") {
    return send(request, deadline);
  }
  return answer;
}

Result<HttpResponse> HttpClient::exchange(const HttpRequest& request, Deadline deadline) {
  VIBES_TRY(connection_->ask(request, target_, deadline));
  return connection_->answer(deadline);
}

Result<void> HttpClient::begin(const HttpRequest& request, Deadline deadline) {
  if (target_.endpoint.transport == Endpoint::Transport::tls) {
    return fail(make_error_code(Errc::bad_url), "https is not spoken in two steps");
  }
  VIBES_TRY(open(deadline));
  auto asked = connection_->ask(request, target_, deadline);
  if (!asked) {
    connection_.reset();
  }
  return asked;
}

Result<HttpResponse> HttpClient::finish(Deadline deadline) {
  VIBES_ASSERT(connection_ != nullptr);
  auto answer = connection_->answer(deadline);
  if (!answer || !connection_->usable()) {
    connection_.reset();
  }
  return answer;
}

Result<HttpResponse> HttpClient::send_ok(const HttpRequest& request, Deadline deadline) {
  auto answer = send(request, deadline);
  if (answer && !answer->is_success()) {
    return fail(http_error(*answer));
  }
  return answer;
}

void speak_https(HttpsExchange exchange) { https_exchange = exchange; }

std::string percent_encode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                            (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '.' ||
                            byte == '_' || byte == '~';
    if (unreserved) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4U], kHex[byte & 0x0fU]};
    }
  }
  return out;
}

}  // namespace vibes::client
