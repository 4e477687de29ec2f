// SPDX-License-Identifier: MIT
#include "net/auth.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <sys/random.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace vibes::net {

namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kTokenChars = 43;  // 32 bytes in base64 without padding

Result<std::string> new_token() {
  std::array<unsigned char, kSecretBytes> secret{};
  if (::getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size())) {
    return fail_errno("getrandom");
  }
  std::array<unsigned char, (kSecretBytes + 2) / 3 * 4 + 1> encoded{};
  EVP_EncodeBlock(encoded.data(), secret.data(), static_cast<int>(secret.size()));
  std::string text(encoded.begin(), encoded.begin() + kTokenChars);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

bool is_token(std::string_view text) {
  return text.size() == kTokenChars && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

/// Nothing: there is no such file.
Result<std::optional<std::string>> read_token(const std::filesystem::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT) {
      return std::optional<std::string>();
    }
    return fail_errno(path.string());
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return fail_errno(path.string());
  }
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077U) != 0) {
    return fail(std::make_error_code(std::errc::permission_denied),
                path.string() + " must be a file of yours with mode 0600");
  }
  std::array<char, kTokenChars + 2> bytes{};
  const ssize_t got = ::read(fd.get(), bytes.data(), bytes.size());
  if (got < 0) {
    return fail_errno(path.string());
  }
  std::string text(bytes.data(), static_cast<std::size_t>(got));
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  if (!is_token(text)) {
    return fail(std::make_error_code(std::errc::invalid_argument),
                path.string() + " holds no token; remove it and a new one will be made");
  }
  return std::optional<std::string>(std::move(text));
}

/// Written under another name and linked into place, so that nobody ever reads half a token.
Result<void> write_token(const std::filesystem::path& path, std::string_view text) {
  const std::string temporary = path.string() + "." + std::to_string(::getpid());
  const UniqueFd fd(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) {
    return fail_errno(temporary);
  }
  const std::string line = std::string(text) + "\n";
  const bool written =
      ::write(fd.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
      ::fsync(fd.get()) == 0 && (::link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int problem = errno;
  (void)::unlink(temporary.c_str());
  if (!written) {
    return fail_errno(problem, path.string());
  }
  return {};
}

}  // namespace

Result<Token> Token::load_or_create(const std::filesystem::path& path) {
  VIBES_TRY_ASSIGN(found, read_token(path));
  if (!found) {
    VIBES_TRY_ASSIGN(made, new_token());
    VIBES_TRY(write_token(path, made));
    // Read back: another server may have been first.
    VIBES_TRY_ASSIGN(stored, read_token(path));
    found = std::move(stored);
  }
  if (!found) {
    return fail(std::make_error_code(std::errc::no_such_file_or_directory), path.string());
  }
  return Token(*std::move(found));
}

bool Token::matches(std::string_view candidate) const {
  return candidate.size() == text_.size() &&
         CRYPTO_memcmp(candidate.data(), text_.data(), text_.size()) == 0;
}

std::string_view shown_token(const RequestHead& head) {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = head.authorization;
  if (authorization.starts_with(kBearer)) {
    return authorization.substr(kBearer.size());
  }
  constexpr std::string_view kToken = "token.";
  std::string_view rest = head.subprotocols;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    std::string_view name = rest.substr(0, comma);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    if (name.starts_with(kToken)) {
      name.remove_prefix(kToken.size());
      return name.substr(0, name.find(' '));
    }
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return {};
}

}  // namespace vibes::net
