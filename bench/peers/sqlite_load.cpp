// SPDX-License-Identifier: MIT
#include "peers/sqlite_load.hpp"

#include <memory>

#include <sqlite3.h>

#include "firehose/server_process.hpp"

namespace vibes::bench {
namespace {

using Database = std::unique_ptr<sqlite3, int (*)(sqlite3*)>;
using Statement = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

void want(int got, int wanted, sqlite3* db) {
  if (got != wanted) {
    die(std::string("sqlite: ") + sqlite3_errmsg(db));
  }
}

Database open(const std::filesystem::path& file) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open(file.c_str(), &raw);
  Database db(raw, sqlite3_close);
  want(opened, SQLITE_OK, raw);
  for (const char* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
                          "CREATE TABLE events(n INTEGER PRIMARY KEY, event BLOB)"}) {
    want(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_OK, raw);
  }
  return db;
}

Statement prepare(const Database& db, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  want(sqlite3_prepare_v2(db.get(), sql, -1, &raw, nullptr), SQLITE_OK, db.get());
  return {raw, sqlite3_finalize};
}

void step(const Database& db, const Statement& statement) {
  want(sqlite3_step(statement.get()), SQLITE_DONE, db.get());
  want(sqlite3_reset(statement.get()), SQLITE_OK, db.get());
}

double append_to(const std::filesystem::path& file, const std::string& event, int per_transaction,
                 double seconds) {
  const Database db = open(file);
  const Statement begin = prepare(db, "BEGIN");
  const Statement insert = prepare(db, "INSERT INTO events(event) VALUES(?)");
  const Statement commit = prepare(db, "COMMIT");
  sqlite3_bind_blob(insert.get(), 1, event.data(), static_cast<int>(event.size()), SQLITE_STATIC);
  const double start = now_us();
  double took_us = 0;
  double events = 0;
  while ((took_us = now_us() - start) < seconds * 1e6) {
    step(db, begin);
    for (int i = 0; i < per_transaction; ++i) {
      step(db, insert);
    }
    step(db, commit);
    events += per_transaction;
  }
  return events / (took_us / 1e6);
}

}  // namespace

double run_sqlite(const std::filesystem::path& directory, const std::string& event,
                  int per_transaction, double seconds) {
  std::filesystem::create_directories(directory);
  const double rate = append_to(directory / "db", event, per_transaction, seconds);
  std::filesystem::remove_all(directory);
  return rate;
}

}  // namespace vibes::bench
