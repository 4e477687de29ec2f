// SPDX-License-Identifier: MIT
#pragma once

#include "net/http.hpp"
#include "net/services.hpp"

namespace vibes::net {

/// GET /metrics: the numbers of /api/health in Prometheus' text format, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/), with units and `_total` in the
/// names as OpenMetrics wants them.
Response metrics(const Services& services);

}  // namespace vibes::net
