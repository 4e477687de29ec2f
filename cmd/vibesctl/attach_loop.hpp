// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/raw_terminal.hpp"
#include "cli/screen_modes.hpp"
#include "cli/terminal_events.hpp"
#include "client/session_client.hpp"
#include "detach_key.hpp"
#include "verb.hpp"

namespace vibes::ctl {

/// Our side of an attached session: the terminal, or whatever stdin and stdout are.
struct AttachTerminal {
  cli::TerminalEvents& events;
  cli::RawTerminal* raw = nullptr;  // nothing where stdin is no terminal
  bool shows = false;               // stdout is a terminal
};

/// Of the terminal that shows the session or, where the output goes elsewhere, of the one typed at.
std::optional<client::WindowSize> window_size();

/// Carries keys to a session and its output back, until its program ends, the user leaves or a
/// signal comes; over lost connections. One thread.
class AttachLoop {
 public:
  /// All but `request` are borrowed.
  AttachLoop(Session& session, const client::Target& target, client::AttachRequest request,
             AttachTerminal terminal, std::shared_ptr<client::Waker> waker);

  /// The program's exit code, 128 and more where a signal ended it, 129 (SIGHUP) where the session
  /// was killed; 0 after leaving. Look at
  /// TerminalEvents::deadly_signal() first.
  ExitCode run();

 private:
  // Each of these stops the loop by stop().
  void attend();
  void attend_input();
  void attend_size();
  void give_way();
  void come_back();
  void wait_and_connect();
  void receive();
  void on(const client::Attached& attached);
  void on(const client::Output& output);
  void on(const client::Exited& exited);
  void on(const client::Removed& removed);
  void on(const client::Refused& refused);

  void lose(const Error& error);
  void refuse_attach(const client::Refused& refused);
  void detach();
  void stop(ExitCode code);
  void write(std::string_view bytes);
  /// Tells the user something on a line of its own, with the terminal as it was.
  template <class Say>
  void tell(Say say);
  void note(const std::string& text);
  void fail_with(const Error& error);
  void send_typed();
  void send_size();
  /// Sends by `send`, once more whenever something else wakes us meanwhile.
  template <class Send>
  void insist(Send send);
  [[nodiscard]] bool is_attached() const { return client_.has_value() && attached_; }

  Session& session_;
  const client::Target& target_;
  client::AttachRequest request_;
  AttachTerminal terminal_;
  std::shared_ptr<client::Waker> waker_;  // shared with the connections

  std::optional<client::SessionClient> client_;
  bool attached_ = false;        // on this connection
  bool was_attached_ = false;    // on any
  unsigned redraws_ = 0;         // asked for on this connection
  bool replay_repeats_ = false;  // what the terminal shows already is about to come again
  bool end_of_input_ = false;    // told to the session
  std::string typed_;            // and not sent: the program does not read as fast
  bool refusal_told_ = false;
  std::chrono::milliseconds backoff_{0};
  client::Deadline retry_at_{};
  DetachKey detach_key_;
  cli::ScreenModes modes_;
  std::optional<ExitCode> stop_;
};

}  // namespace vibes::ctl
