// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every limit of the system, in one place. What is refused because of a limit is refused with an
/// error that names the limit. docs/protocol.md lists those a client can meet.
namespace vibes::limits {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;
inline constexpr std::size_t kGiB = 1024 * kMiB;

// Events.
inline constexpr std::size_t kEventBytesMax = 1 * kMiB;
inline constexpr std::size_t kEventDepthMax = 64;
inline constexpr std::size_t kEventKeysMax = 10'000;  // keys in one object
inline constexpr std::size_t kTypeBytesMax = 128;
inline constexpr std::size_t kSessionBytesMax = 256;
inline constexpr std::size_t kFilterTypesMax = 64;  // type names in one filter

// Hooks of agents whose payload is too much for one event.
inline constexpr std::size_t kHookMemberBytesKept = 16 * kKiB;
inline constexpr std::size_t kHookRawBytesKept = 720 * kKiB;  // in base64 less than an event

inline constexpr std::size_t kSettingsBytesMax = 1 * kMiB;  // of an agent, with its hooks

// The log.
inline constexpr std::size_t kBatchBytesMax = 4 * kMiB;
inline constexpr std::size_t kBatchEventsMax = 65'536;
inline constexpr std::size_t kSegmentBytes = 64 * kMiB;
inline constexpr std::size_t kAppendQueueBytesMax = 64 * kMiB;  // waiting for the writer, in total
inline constexpr std::size_t kTailCacheBytesMax = 16 * kMiB;    // recent events kept in memory
inline constexpr std::size_t kIdempotencyWindowEvents = 1'000'000;
inline constexpr std::size_t kMemoryLogBytesMax = 256 * kMiB;  // then the oldest events go
inline constexpr std::uint64_t kFreeDiskFloorBytes = 256 * kMiB;

// An engine that is not this process.
inline constexpr std::chrono::milliseconds kEngineWithin{10'000};  // to be reached, at start
inline constexpr std::chrono::milliseconds kEngineRequestWithin{5'000};
inline constexpr std::chrono::milliseconds kEngineRetryFirst{100};
inline constexpr std::chrono::milliseconds kEngineRetryLast{10'000};
inline constexpr std::size_t kEngineInFlightEvents = 4'096;  // published, not yet acknowledged
inline constexpr std::size_t kEngineInFlightBytes = 16 * kMiB;
inline constexpr std::size_t kEngineReadAheadEvents = 1'000;
inline constexpr std::size_t kOutboxBytesMax = 256 * kMiB;  // then appends are refused

// Consumer groups.
inline constexpr std::size_t kGroupsMax = 1'000;
inline constexpr std::size_t kGroupNameBytesMax = 128;  // of [a-z0-9._-]
inline constexpr std::size_t kCommitEveryEvents = 1'000;
inline constexpr std::chrono::milliseconds kCommitEvery{1'000};
inline constexpr unsigned kDeliveryAttemptsMax = 8;
inline constexpr std::chrono::milliseconds kRetryFirst{100};
inline constexpr std::chrono::milliseconds kRetryLast{30'000};
inline constexpr std::size_t kDeadLetterReasonBytesMax = 4 * kKiB;
inline constexpr std::size_t kDeadLetterPageBytes = 1 * kMiB;
inline constexpr std::size_t kPendingCommitsMax = 1'024;  // of one group, waiting for the disk
inline constexpr std::size_t kDeadLetterFileBytesMax =
    16 * kMiB;                                  // of one group; then older ones go
inline constexpr std::size_t kGroupSlots = 64;  // shares of a group; members beyond them idle
inline constexpr std::size_t kGroupMembersMax = 256;
inline constexpr std::chrono::seconds kLeaseFor{
    60};  // of a member that says nothing, when others wait

// Notifications.
inline constexpr std::chrono::minutes kNotificationMaxAge{10};     // an older event is history
inline constexpr std::chrono::seconds kNotificationTagWithin{30};  // one of a tag in this time
inline constexpr std::size_t kNotificationTagsMax = 10'000;        // remembered
inline constexpr std::chrono::seconds kNotificationWithin{10};     // one try at one endpoint
inline constexpr unsigned kNotificationAttemptsMax = 5;
inline constexpr std::chrono::seconds kNotificationRetryAfterMax{300};  // of what an endpoint asks
inline constexpr std::size_t kNotificationsPerEndpoint = 64;            // waiting for one endpoint
inline constexpr std::size_t kTransfersMax = 128;                       // requests at the same time
inline constexpr std::size_t kNotificationTextBytesMax = 1 * kKiB;      // of a title or a body
inline constexpr std::size_t kNotificationAnswerBytesMax = 16 * kKiB;   // read of an endpoint's
inline constexpr std::size_t kPushSubscriptionsMax = 1'000;
inline constexpr std::size_t kPushEndpointBytesMax = 2 * kKiB;
inline constexpr std::size_t kPushPayloadBytesMax = 3'993;  // RFC 8291 §4: one record of 4,096
inline constexpr std::chrono::minutes kStallAfter{5};
inline constexpr std::size_t kStallSessionsMax = 10'000;  // watched for a stall

// Transcripts.
inline constexpr std::size_t kTranscriptsHot = 16'384;             // sessions held in memory
inline constexpr std::size_t kTranscriptHotBytes = 64 * kMiB;      // of all of them
inline constexpr std::size_t kTranscriptTextBytesMax = 64 * kKiB;  // of one prompt, input or output
inline constexpr std::size_t kTranscriptAnswerBytesMax = 64 * kMiB;

// Assessment.
inline constexpr std::size_t kAssessedSessionsMax = 10'000;  // in memory; then the quietest ends
inline constexpr std::size_t kAssessmentPatternsMax = 64;    // of the configuration, of each kind
inline constexpr std::size_t kAssessmentPatternBytesMax = 256;
inline constexpr std::size_t kAssessedTextBytesMax =
    64 * kKiB;  // of one message; the rest is not read
inline constexpr std::chrono::seconds kBackendWithin{60};
inline constexpr unsigned kBackendAttemptsMax = 3;
inline constexpr std::size_t kBackendOutputBytesMax = 256 * kKiB;
inline constexpr std::size_t kBackendPromptBytesMax = 64 * kKiB;
inline constexpr std::size_t kBackendQueueMax = 256;  // summaries waiting; then extractive ones
inline constexpr unsigned kInterventionsMax = 3;      // of one session
inline constexpr unsigned kInterventionSpacing = 3;   // messages between two
inline constexpr std::size_t kInterventionSessionsMax =
    10'000;  // with one that waits; then the oldest goes
inline constexpr std::chrono::hours kInterventionMaxAge{
    24};  // waiting for the session's next prompt
inline constexpr std::chrono::seconds kInterventionHeldFor{
    60};                                               // by one hook that has not confirmed it
inline constexpr std::size_t kCurvePointsMax = 512;    // of one session; then every other goes
inline constexpr std::size_t kCheckpointsKept = 256;   // of one session, in what is shown
inline constexpr std::size_t kInterventionsKept = 64;  // the same
inline constexpr std::size_t kAssessedSessionsListed = 10'000;  // those with the newest results
inline constexpr std::size_t kInterventionsWaiting = 4;  // of one session; then the oldest goes
inline constexpr std::size_t kInterventionBytesMax = 2 * kKiB;  // of a message; the rest is cut off
/// Read for one hook's answer, where the group is behind; beyond it nothing is handed out.
inline constexpr std::uint64_t kInterventionCatchUpEvents = 10'000;
inline constexpr std::size_t kAssessedPageSessions = 1'000;  // in one answer

// The firehose.
inline constexpr std::size_t kRingBytesMax = 8 * kMiB;
inline constexpr std::size_t kRingEventsMax = 65'536;
inline constexpr std::size_t kPastFramesBytesMax =
    16 * kMiB;  // of events behind the ring, for those who replay them
inline constexpr std::size_t kWriteChunkBytes = 64 * kKiB;
inline constexpr std::size_t kFilteredBurstsMax =
    64;  // of one write each, for clients of one filter
inline constexpr std::size_t kPageEventsMax = 1'000;
inline constexpr std::size_t kPageEventsDefault = 100;
inline constexpr std::size_t kPageBytesMax = 1 * kMiB;  // a page always holds at least one event
inline constexpr std::size_t kScanSliceBytes =
    1 * kMiB;  // read for one client in one turn of the loop
inline constexpr std::chrono::seconds kHeartbeatDefault{15};
inline constexpr std::chrono::seconds kHeartbeatMax{3'600};
inline constexpr std::size_t kPageRequestsQueued = 16;         // then the socket is not read
inline constexpr std::size_t kAnswersBytesQueued = 64 * kKiB;  // the same, answers of all kinds
inline constexpr std::uint64_t kRejectAttemptsMax = 1'000'000;
/// How long live events wait for a compatible client's first message, which asks for the newest
/// page.
inline constexpr std::chrono::milliseconds kFirstMessageWithin{100};
inline constexpr std::chrono::seconds kReaderStalledAfter{60};

// Connections.
inline constexpr std::size_t kConnectionsMax = 10'240;
inline constexpr std::size_t kUnauthenticatedMax = 64;
inline constexpr std::size_t kHeaderBytesMax = 8 * kKiB;
inline constexpr std::size_t kHeaderPool = 64;
inline constexpr std::chrono::seconds kHeadersWithin{5};
inline constexpr std::chrono::seconds kKeepAliveIdle{5};
inline constexpr std::size_t kBodyBytesMax = 4 * kMiB;  // one batch
inline constexpr std::chrono::seconds kRequestWithin{30};
inline constexpr std::size_t kBodyBytesPerSecondMin = 1 * kKiB;
inline constexpr std::chrono::seconds kBodySpan{5};  // over which that rate is measured
inline constexpr std::size_t kMessageBytesMax =
    4 * kMiB;  // /ws/append; other sockets take kEventBytesMax
inline constexpr std::size_t kMessageFragmentsMax = 1'024;
inline constexpr std::chrono::seconds kMessageWithin{30};
inline constexpr std::chrono::seconds kCloseWithin{5};
inline constexpr std::chrono::seconds kPingEvery{30};
inline constexpr std::chrono::seconds kHangUpAfter{60};
inline constexpr std::size_t kUnackedBytesPerConnection = 16 * kMiB;
inline constexpr std::size_t kUnackedBytesTotal = 64 * kMiB;
inline constexpr std::size_t kLoopTasksMax = 65'536;  // left with one net thread, not yet done
inline constexpr std::size_t kLoopTaskBytesMax = 64 * kMiB;
inline constexpr std::size_t kFdsRequired = 1'024;
inline constexpr std::size_t kFdsReserved = 64;
inline constexpr std::chrono::seconds kStopWithin{10};

// Sessions.
inline constexpr std::size_t kSessionsMax = 256;
inline constexpr std::size_t kScrollbackBytes = 1 * kMiB;
inline constexpr std::size_t kPtyInputBytesMax = 64 * kKiB;  // one message, decoded
inline constexpr unsigned kPtyColsMax = 1'000;
inline constexpr unsigned kPtyRowsMax = 1'000;
inline constexpr std::size_t kSessionNameBytesMax = 256;
inline constexpr std::size_t kSessionLinksMax =
    100'000;  // known to readers; the rest is only in the log
inline constexpr std::size_t kSessionCommandArgsMax = 256;
inline constexpr std::size_t kSessionCommandBytesMax = 64 * kKiB;
inline constexpr std::size_t kSessionCommandsMax =
    4'096;  // left with the session thread, not yet done
inline constexpr std::size_t kSessionCommandQueueBytesMax = 16 * kMiB;
inline constexpr std::size_t kPtyInputQueueBytesMax =
    1 * kMiB;  // written by nobody yet, per session
inline constexpr std::size_t kSessionEventsPendingMax = 4'096;  // that the log has not taken yet
inline constexpr std::chrono::milliseconds kHangUpGrace{5'000};
inline constexpr std::chrono::milliseconds kExitedLinger{30'000};
inline constexpr std::chrono::milliseconds kSessionsStopWithin{8'000};
inline constexpr std::chrono::milliseconds kReplayAfter{500};  // for clients that never resize

// The client side.
inline constexpr std::size_t kSpoolBytesMax = 256 * kMiB;
inline constexpr std::chrono::milliseconds kHookWithin{50};          // for the server, in one call
inline constexpr std::chrono::milliseconds kHookSpoolWithin{2'000};  // for another call's lock
inline constexpr std::chrono::milliseconds kHookSilenceMax{1'000};   // then the payload has ended
inline constexpr std::size_t kHookPayloadBytesMax = 64 * kMiB;       // the rest is not read
inline constexpr std::chrono::milliseconds kReconnectFirst{100};
inline constexpr std::chrono::milliseconds kReconnectLast{5'000};

}  // namespace vibes::limits
