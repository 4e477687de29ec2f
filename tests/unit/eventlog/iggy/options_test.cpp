// SPDX-License-Identifier: MIT
#include "eventlog/iggy/options.hpp"

#include "eventlog/errc.hpp"
#include "eventlog/iggy/make_stream.hpp"
#include "support/catch.hpp"

namespace vibes::test {
namespace {

using eventlog::iggy::IggyOptions;
using eventlog::iggy::parse_iggy_url;

IggyOptions parsed(std::string_view url) {
  const auto options = parse_iggy_url(url);
  if (!options) {
    FAIL(options.error().message());
  }
  return *options;
}

std::string refused(std::string_view url) {
  const auto options = parse_iggy_url(url);
  REQUIRE_FALSE(options);
  CHECK(options.error().code == eventlog::Errc::bad_url);
  CHECK(options.error().context.find("s3cret") == std::string::npos);
  return options.error().context;
}

}  // namespace

TEST_CASE("iggy options: a URL says where and as whom, and the rest has defaults", "[iggy]") {
  const IggyOptions plain = parsed("iggy+http://iggy:s3cret@127.0.0.1");
  CHECK(plain.transport == IggyOptions::Transport::http);
  CHECK(plain.host == "127.0.0.1");
  CHECK(plain.port == 3'000);
  CHECK(plain.user == "iggy");
  CHECK(plain.password == "s3cret");
  CHECK(plain.stream == "vibes");
  CHECK(plain.topic == "events");
  CHECK(plain.fsync == IggyOptions::Fsync::unknown);
  CHECK(plain.url() == "iggy+http://127.0.0.1:3000/vibes/events");
  const IggyOptions full = parsed(
      "iggy+https://a%40b:s3%2Fc%3Aret@[::1]:8443/my%20stream/t%2F1/"
      "?fsync=always&max_request=16000000");
  CHECK(full.user == "a@b");
  CHECK(full.password == "s3/c:ret");
  CHECK(full.base() == "https://[::1]:8443");
  CHECK(full.stream == "my stream");
  CHECK(full.topic == "t/1");
  CHECK(full.topic_path(full.groups_topics()[0]) == "/streams/my%20stream/topics/t%2F1-groups");
  CHECK(full.fsync == IggyOptions::Fsync::always);
  CHECK(full.request_bytes_max == 16'000'000);
  CHECK(full.url() == "iggy+https://[::1]:8443/my%20stream/t%2F1");
  CHECK(parsed("iggy+http://u:p@host/only").topic == "events");
}

TEST_CASE("iggy options: bad URLs are refused, named, without their secrets", "[iggy]") {
  using Catch::Contains;
  CHECK_THAT(refused("http://u:s3cret@host"), Contains("begins with iggy+http://"));
  CHECK_THAT(refused("iggy+ftp://u:s3cret@host"), Contains("begins with iggy+http://"));
  CHECK_THAT(refused("iggy+http://u:s3cret@ho st"), Contains("no URL"));
  CHECK_THAT(refused("iggy+http://u:s3cret@host:0"), Contains("port"));
  CHECK_THAT(refused("iggy+http://u:s3cret@host:99999"), Contains("URL"));
  CHECK_THAT(refused("iggy+http://host"), Contains("user and password"));
  CHECK_THAT(refused("iggy+http://u@host"), Contains("user and password"));
  CHECK_THAT(refused("iggy+http://u:s3cret@host/123/events"), Contains("digits"));
  CHECK_THAT(refused("iggy+http://u:s3cret@host/a/b/c"), Contains("/STREAM/TOPIC"));
  CHECK_THAT(refused("iggy+http://u:s3cret@host/a//"), Contains("1 to 246 bytes"));
  CHECK_THAT(refused("iggy+http://u:s3cret@host/" + std::string(247, 'x')), Contains("246 bytes"));
  CHECK_THAT(refused("iggy+http://u:s3cret@host/%01"), Contains("control"));
  CHECK_THAT(refused("iggy+http://u:s3cret@host?fsync=yes"), Contains("'always'"));
  CHECK_THAT(refused("iggy+http://u:s3cret@host?max_request=1"), Contains("max_request"));
  CHECK_THAT(refused("iggy+http://u:s3cret@host?replicas=3"), Contains("unknown name"));
  CHECK_THAT(refused("iggy+http://u:s3cret@host/#x"), Contains("fragment"));
  CHECK_THAT(refused("iggy+http://u:s3cret@host/" + std::string(4'000, 'x')), Contains("too long"));
}

TEST_CASE("iggy options: URLs of this engine are known by their scheme", "[iggy]") {
  using eventlog::iggy::is_iggy_url;
  CHECK(is_iggy_url("iggy:dir"));
  CHECK(is_iggy_url("iggy+http://u:p@host"));
  CHECK(is_iggy_url("iggy+https://u:p@host"));
  CHECK_FALSE(is_iggy_url("file:iggy"));
  CHECK_FALSE(is_iggy_url("iggy"));
  CHECK(eventlog::iggy::make_stream("iggy:").error().code == eventlog::Errc::bad_url);
  CHECK(eventlog::iggy::make_stream("iggy://host").error().code == eventlog::Errc::bad_url);
}

}  // namespace vibes::test
