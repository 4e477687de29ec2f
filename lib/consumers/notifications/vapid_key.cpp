// SPDX-License-Identifier: MIT
#include "consumers/notifications/vapid_key.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "consumers/notifications/base64url.hpp"
#include "consumers/notifications/member.hpp"
#include "consumers/notifications/state_file.hpp"

namespace vibes::consumers {
namespace {

using nlohmann::json;

constexpr std::int64_t kGoodForSeconds = 12 * 3'600;

}  // namespace

Result<VapidKey> VapidKey::of(EcKey key) {
  VIBES_TRY_ASSIGN(point, key.point());
  return VapidKey(std::move(key), encode_base64url(point));
}

Result<VapidKey> VapidKey::generate() {
  VIBES_TRY_ASSIGN(key, EcKey::generate());
  return of(std::move(key));
}

Result<VapidKey> VapidKey::load_or_create(const std::filesystem::path& file) {
  VIBES_TRY_ASSIGN(text, read_state_file(file));
  if (text) {
    auto key = EcKey::from_pem(text_member(json::parse(*text, nullptr, false), "private_key"));
    if (!key) {
      return fail(key.error().code, file.string() + ": " + key.error().context);
    }
    return of(*std::move(key));
  }
  VIBES_TRY_ASSIGN(made, generate());
  VIBES_TRY_ASSIGN(pem, made.key_.to_pem());
  const json kept = {{"private_key", pem}, {"public_key", made.public_key_}};
  VIBES_TRY(write_state_file(file, kept.dump(2) + "\n"));
  return made;
}

Result<std::string> VapidKey::authorization(std::string_view origin, std::string_view subject,
                                            Timestamp now) const {
  const json header = {{"typ", "JWT"}, {"alg", "ES256"}};
  const json claims = {
      {"aud", origin}, {"exp", now.unix_us / 1'000'000 + kGoodForSeconds}, {"sub", subject}};
  const std::string text = encode_base64url(header.dump()) + "." + encode_base64url(claims.dump());
  VIBES_TRY_ASSIGN(signature, key_.sign(text));
  return "vapid t=" + text + "." + encode_base64url(signature) + ", k=" + public_key_;
}

}  // namespace vibes::consumers
