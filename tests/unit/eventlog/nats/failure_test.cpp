// SPDX-License-Identifier: MIT
#include "eventlog/nats/failure.hpp"

#include "eventlog/errc.hpp"
#include "support/catch.hpp"

using namespace vibes;
using namespace vibes::eventlog;
using nats::publish_failed;

TEST_CASE("nats: an answer to a publish has one meaning", "[eventlog][nats]") {
  CHECK(publish_failed(NATS_ERR, 10'071, "wrong last sequence: 3").code == Errc::not_next);
  CHECK(publish_failed(NATS_ERR, 10'070, "wrong last msg ID: x").code == Errc::not_next);
  CHECK(publish_failed(NATS_ERR, 10'164, "wrong last sequence").code == Errc::not_next);
  CHECK(publish_failed(NATS_ERR, 10'077, "maximum bytes exceeded").code == Errc::storage_full);
  CHECK(publish_failed(NATS_ERR, 10'047, "").code == Errc::storage_full);
  CHECK(publish_failed(NATS_ERR, 10'023, "").code == Errc::storage_full);
  CHECK(publish_failed(NATS_ERR, 10'054, "").code == Errc::batch_too_large);
  CHECK(publish_failed(NATS_MAX_PAYLOAD, 0, "").code == Errc::batch_too_large);
  CHECK(publish_failed(NATS_ERR, 10'109, "").code == Errc::other_settings);
  CHECK(publish_failed(NATS_INSUFFICIENT_BUFFER, 0, "").code == Errc::unreachable);
  CHECK(publish_failed(NATS_NO_RESPONDERS, 0, "").code == Errc::unreachable);
}

TEST_CASE("nats: what is not known is indeterminate", "[eventlog][nats]") {
  CHECK(publish_failed(NATS_TIMEOUT, 0, "").code == Errc::indeterminate);
  CHECK(publish_failed(NATS_IO_ERROR, 0, "").code == Errc::indeterminate);
  CHECK(publish_failed(NATS_ERR, 19'999, "new").code == Errc::indeterminate);
  CHECK(publish_failed(NATS_ERR, 0, "").code == Errc::indeterminate);
}
