// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "verify/reporters.hpp"
#include "verify/text.hpp"

namespace vibes::verify {
namespace {

std::string seconds(std::chrono::milliseconds took) {
  return fmt::format("{:.2f} s", std::chrono::duration<double>(took).count());
}

class HumanReporter final : public Reporter {
 public:
  explicit HumanReporter(Colour colour) : colour_(colour) {}

  std::string begin(const RunInfo& run) override {
    return fmt::format("vibes-verify {}: {}, seed {}\n", run.version, one_line(run.target),
                       run.seed);
  }

  std::string scenario(const ScenarioResult& result) override {
    std::string text =
        fmt::format("\n{} {}\n", bold(one_line(result.name)),
                    dim(fmt::format("— {} ({})", one_line(result.summary), seconds(result.took))));
    for (const CheckResult& check : result.checks) {
      text += line_of(check);
    }
    for (const auto& [name, value] : result.facts) {
      text += dim(fmt::format("      {}: {}", one_line(name), one_line(value))) + "\n";
    }
    text += indented(printable(result.diagnostics), "    | ");
    passed_ += result.count(Status::passed);
    failed_ += result.count(Status::failed);
    skipped_ += result.count(Status::skipped);
    took_ += result.took;
    return text;
  }

  std::string bail_out(std::string_view why) override {
    ++failed_;
    return fmt::format("\n{} {}\n", red("gave up:"), one_line(why));
  }

  std::string end() override {
    std::string verdict = failed_ > 0    ? red("FAILED")
                          : passed_ == 0 ? yellow("NOTHING RAN")
                                         : green("ok");
    return fmt::format("\n{}: {} checks passed, {} failed, {} skipped in {}\n", verdict, passed_,
                       failed_, skipped_, seconds(took_));
  }

 private:
  std::string line_of(const CheckResult& check) const {
    switch (check.status) {
      case Status::passed:
        return fmt::format("  {}  {}\n", green("ok"), one_line(check.name));
      case Status::skipped:
        return fmt::format("  {}  {} {}\n", yellow("--"), one_line(check.name),
                           dim("(skipped: " + one_line(check.reason) + ")"));
      case Status::failed:
        break;
    }
    std::string text = fmt::format("  {}  {}\n", red("FAILED"), one_line(check.name));
    text += indented(printable(check.reason), "      ");
    if (!check.expected.empty()) {
      text += indented(printable("expected: " + check.expected), "      ");
    }
    if (!check.seen.empty()) {
      text += indented(printable("seen:     " + check.seen), "      ");
    }
    return text;
  }
  [[nodiscard]] std::string paint(const char* code, std::string_view text) const {
    return colour_ == Colour::yes ? fmt::format("\x1b[{}m{}\x1b[0m", code, text)
                                  : std::string(text);
  }
  [[nodiscard]] std::string bold(std::string_view text) const { return paint("1", text); }
  [[nodiscard]] std::string dim(std::string_view text) const { return paint("2", text); }
  [[nodiscard]] std::string red(std::string_view text) const { return paint("1;31", text); }
  [[nodiscard]] std::string green(std::string_view text) const { return paint("32", text); }
  [[nodiscard]] std::string yellow(std::string_view text) const { return paint("33", text); }

  Colour colour_;
  std::size_t passed_ = 0;
  std::size_t failed_ = 0;
  std::size_t skipped_ = 0;
  std::chrono::milliseconds took_{0};
};

}  // namespace

std::unique_ptr<Reporter> make_human_reporter(Colour colour) {
  return std::make_unique<HumanReporter>(colour);
}

}  // namespace vibes::verify
