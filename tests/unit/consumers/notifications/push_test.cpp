// SPDX-License-Identifier: MIT
#include <filesystem>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "consumers/notifications/base64url.hpp"
#include "consumers/notifications/push_encryption.hpp"
#include "consumers/notifications/vapid_key.hpp"
#include "consumers/notifications/web_push.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "unit/consumers/fixture.hpp"

using namespace vibes;
using namespace vibes::consumers;

namespace {

std::string bytes(std::string_view base64url) {
  auto decoded = decode_base64url(base64url);
  REQUIRE(decoded);
  return *std::move(decoded);
}

// RFC 8291, appendix A.
constexpr std::string_view kText = "When I grow up, I want to be a watermelon";
constexpr std::string_view kSenderPoint =
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
constexpr std::string_view kSenderPrivate = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
constexpr std::string_view kReceiverPoint =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
constexpr std::string_view kSalt = "DGv6ra1nlYgDCS1FRnbzlw";
constexpr std::string_view kAuth = "BTBZMqHH6r4Tts7J_aSIgg";
constexpr std::string_view kBody =
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
    "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

}  // namespace

TEST_CASE("WebPush: one signature serves a push service for an hour", "[notifications]") {
  test::ManualClock clock;
  const auto push = WebPush::open({}, "mailto:me@example.com", clock);
  REQUIRE(push);
  const auto authorization = [&](const std::string& endpoint) {
    const PushSubscription to{
        .endpoint = endpoint, .keys = {bytes(kReceiverPoint), bytes(kAuth)}, .user_agent = {}};
    const auto delivery = (*push)->delivery(to, Notification{});
    REQUIRE(delivery);
    return delivery->headers.at(2);
  };
  const std::string first = authorization("https://one.example/a");
  CHECK(first.starts_with("Authorization: vapid t="));
  CHECK(authorization("https://one.example/b") == first);
  CHECK(authorization("https://two.example/a") != first);
  clock.now_us += 3'599'999'999;
  CHECK(authorization("https://one.example/a") == first);
  ++clock.now_us;
  CHECK(authorization("https://one.example/a") != first);
}

TEST_CASE("encrypt_push: the example of RFC 8291, byte for byte", "[notifications]") {
  const auto sender = EcKey::from_private(bytes(kSenderPrivate), bytes(kSenderPoint));
  REQUIRE(sender);
  const auto body =
      encrypt_push({bytes(kReceiverPoint), bytes(kAuth)}, kText, *sender, bytes(kSalt));
  REQUIRE(body);
  CHECK(encode_base64url(*body) == kBody);
}

TEST_CASE("encrypt_push: no two bodies are alike, keys that are none are refused",
          "[notifications]") {
  const PushKeys keys{bytes(kReceiverPoint), bytes(kAuth)};
  const std::string most(limits::kPushPayloadBytesMax, 'x');
  const auto one = encrypt_push(keys, most);
  const auto two = encrypt_push(keys, most);
  REQUIRE((one && two));
  CHECK(*one != *two);
  CHECK(one->size() == 4'096);
  CHECK(!encrypt_push(keys, most + "x"));
  CHECK(!encrypt_push({keys.p256dh, "short"}, "x"));
  CHECK(!encrypt_push({keys.p256dh.substr(1), keys.auth}, "x"));
  std::string off_curve = keys.p256dh;
  off_curve.back() = static_cast<char>(off_curve.back() ^ 1);
  CHECK(!encrypt_push({off_curve, keys.auth}, "x"));
}

TEST_CASE("VapidKey: is made once, kept for us only, and signs what it says", "[notifications]") {
  const test::TempDir directory;
  const std::filesystem::path file = directory.path() / "vapid_keys.json";
  const auto made = VapidKey::load_or_create(file);
  REQUIRE(made);
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600U);
  const auto again = VapidKey::load_or_create(file);
  REQUIRE(again);
  CHECK(again->public_key() == made->public_key());
  CHECK(bytes(made->public_key()).size() == 65);
  const auto header =
      again->authorization("https://push.example", "mailto:a@b", {1'700'000'000'000'000});
  REQUIRE(header);
  CHECK(header->starts_with("vapid t="));
  CHECK(header->ends_with(", k=" + made->public_key()));
  const std::string token = header->substr(8, header->find(',') - 8);
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  const auto claims =
      nlohmann::json::parse(bytes(token.substr(first + 1, second - first - 1)), nullptr, false);
  CHECK(claims["aud"] == "https://push.example");
  CHECK(claims["sub"] == "mailto:a@b");
  CHECK(claims["exp"] == 1'700'000'000 + 12 * 3'600);
  CHECK(bytes(token.substr(second + 1)).size() == 64);
}
