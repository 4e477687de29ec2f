// SPDX-License-Identifier: MIT
#pragma once

// libwebsockets' own types, so that only the files that call it include its header.
struct lws;
struct lws_context;
struct lws_vhost;
