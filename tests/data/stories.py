# SPDX-License-Identifier: MIT
"""What happened on the recorded day: five people, five repositories, five problems. Plain data for make_sample.py."""


def prompt(text):
    return ("prompt", text)


def think(text):
    return ("think", text)


def say(text):
    return ("say", text)


def tool(name, tool_input, response, *, ok=True, permission=None):
    """permission: None where the tool needs none, else whether the user allowed it."""
    return ("tool", name, tool_input, response, ok, permission)


def bash(command, stdout="", stderr="", *, code=0, permission=None, description=None):
    tool_input = {"command": command, "description": description or command.split("&&")[0].strip()[:40]}
    response = {"stdout": stdout, "stderr": stderr, "interrupted": False, "isImage": False}
    if code:
        response["exit_code"] = code
    return tool("Bash", tool_input, response, ok=code == 0, permission=permission)


def read(path, content):
    lines = content.count("\n") + 1
    return tool("Read", {"file_path": path}, {"type": "text", "file": {
        "filePath": path, "content": content, "numLines": lines, "startLine": 1, "totalLines": lines}})


def edit(path, old, new, *, permission=None):
    return tool("Edit", {"file_path": path, "old_string": old, "new_string": new, "replace_all": False},
                {"filePath": path, "oldString": old, "newString": new, "userModified": False,
                 "structuredPatch": [{"oldStart": 41, "oldLines": old.count("\n") + 1, "newStart": 41,
                                      "newLines": new.count("\n") + 1,
                                      "lines": ["-" + s for s in old.split("\n")] + ["+" + s for s in new.split("\n")]}]},
                permission=permission)


def write(path, content, *, permission=None):
    return tool("Write", {"file_path": path, "content": content},
                {"type": "create", "filePath": path, "content": content, "structuredPatch": []}, permission=permission)


def grep(pattern, *hits):
    return tool("Grep", {"pattern": pattern, "output_mode": "content", "-n": True},
                {"mode": "content", "numFiles": len({h.split(":")[0] for h in hits}), "filenames": [],
                 "content": "\n".join(hits), "numLines": len(hits)})


def todo(*items):
    return tool("TodoWrite", {"todos": [{"content": t, "status": s, "activeForm": t} for s, t in items]},
                {"oldTodos": [], "newTodos": [{"content": t, "status": s, "activeForm": t} for s, t in items]})


def subagent(task, answer, steps):
    return ("subagent", task, answer, steps)


CENTS = [
    prompt("The invoice for order 4711 is one cent off: customers see 59.98 in the cart and 59.99 on the PDF. Find out why and fix it, "
           "with a test."),
    think("Two places compute a total. Probably one rounds per line and the other rounds the sum. Let me look for both."),
    say("I'll find where the cart and the invoice compute their totals."),
    grep(r"round\(|quantize\(", "shop/cart.py:58:    return total.quantize(CENT)", "shop/invoice.py:44:    line = round(price * quantity * (1 + rate), 2)",
         "shop/invoice.py:71:    return sum(line.gross for line in self.lines)", "shop/shipping.py:19:    return Decimal(weight).quantize(CENT)"),
    read("/home/mara/shop/shop/cart.py",
         "from decimal import ROUND_HALF_UP, Decimal\n\nCENT = Decimal(\"0.01\")\n\n\nclass Cart:\n    def __init__(self, lines):\n        self.lines = lines\n\n"
         "    def gross(self):\n        total = sum(l.price * l.quantity * (1 + l.vat) for l in self.lines)\n        return total.quantize(CENT, ROUND_HALF_UP)\n"),
    read("/home/mara/shop/shop/invoice.py",
         "from shop.money import CENT\n\n\nclass Invoice:\n    def add(self, item):\n        line = round(item.price * item.quantity * (1 + item.vat), 2)\n"
         "        self.lines.append(Line(item, gross=line))\n\n    def gross(self):\n        return sum(line.gross for line in self.lines)\n"),
    say("The cart rounds the sum, half up. The invoice rounds each line, and Python's round() rounds half to even. Both differ. First a test that shows it."),
    todo(("in_progress", "Reproduce with order 4711"), ("pending", "Share one rounding rule"), ("pending", "Run the whole suite")),
    write("/home/mara/shop/tests/test_rounding.py",
          "from decimal import Decimal\n\nimport pytest\n\nfrom shop.cart import Cart\nfrom shop.invoice import Invoice\nfrom tests.factories import item\n\n\n"
          "def test_cart_and_invoice_agree_on_order_4711():\n    items = [item(\"12.605\", 1, \"0.19\"), item(\"37.80\", 1, \"0.19\")]\n"
          "    assert Cart(items).gross() == Invoice.of(items).gross() == Decimal(\"59.98\")\n", permission=True),
    bash("python -m pytest -q tests/test_rounding.py",
         "F                                                                        [100%]\n=================================== FAILURES ===================================\n"
         "E       AssertionError: assert Decimal('59.98') == Decimal('59.99')\n1 failed in 0.21s", code=1, permission=True, description="Run the new test"),
    say("Reproduced. I'll make the invoice round the sum like the cart."),
    edit("/home/mara/shop/shop/invoice.py", "        line = round(item.price * item.quantity * (1 + item.vat), 2)", "        line = item.price * item.quantity * (1 + item.vat)"),
    edit("/home/mara/shop/shop/invoice.py", "        return sum(line.gross for line in self.lines)", "        return sum(line.gross for line in self.lines).quantize(CENT)"),
    bash("python -m pytest -q tests", "....................F.............................                       [100%]\n"
         "FAILED tests/test_invoice.py::test_lines_are_printed_with_two_digits - AssertionError: '14.99995' != '15.00'\n1 failed, 49 passed in 3.02s", code=1,
         description="Run the whole suite"),
    prompt("No, that's wrong. The lines on the PDF must be rounded too, our tax adviser insists: § 14 UStG wants the sum of the printed lines. It's the cart that has to change."),
    think("So the rule is per line, half up, in both. I went the wrong way. Undo the invoice change and share one function."),
    say("Understood: rounding per line, half up, everywhere. I'll undo my change and give both the same function."),
    bash("git checkout shop/invoice.py && git diff --stat", "Updated 1 path from the index\n", description="Undo the wrong fix"),
    write("/home/mara/shop/shop/money.py",
          "\"\"\"Money is rounded per line, half up: what is printed is what is summed.\"\"\"\nfrom decimal import ROUND_HALF_UP, Decimal\n\nCENT = Decimal(\"0.01\")\n\n\n"
          "def line_gross(item):\n    return (item.price * item.quantity * (1 + item.vat)).quantize(CENT, ROUND_HALF_UP)\n"),
    edit("/home/mara/shop/shop/cart.py", "        total = sum(l.price * l.quantity * (1 + l.vat) for l in self.lines)\n        return total.quantize(CENT, ROUND_HALF_UP)",
         "        return sum(line_gross(line) for line in self.lines)"),
    edit("/home/mara/shop/shop/invoice.py", "        line = round(item.price * item.quantity * (1 + item.vat), 2)", "        line = line_gross(item)"),
    bash("python -m pytest -q tests", "E   ImportError: cannot import name 'line_gross' from partially initialized module 'shop.money' (circular import)\n1 error in 0.40s", code=2),
    say("A circular import: shop.money is imported by shop.item for CENT. The type hint pulled it in; I'll import it under TYPE_CHECKING."),
    edit("/home/mara/shop/shop/item.py", "from shop.money import CENT", "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from shop.cart import Cart"),
    bash("python -m pytest -q tests", "..................................................                       [100%]\n51 passed in 2.97s"),
    todo(("completed", "Reproduce with order 4711"), ("completed", "Share one rounding rule"), ("completed", "Run the whole suite")),
    prompt("Perfect, thanks. Commit it, please."),
    bash("git add -A && git commit -m 'Round money per line, half up, in cart and invoice'",
         "[fix/rounding 8c1f0a2] Round money per line, half up, in cart and invoice\n 5 files changed, 31 insertions(+), 6 deletions(-)\n create mode 100644 shop/money.py\n",
         permission=True, description="Commit the fix"),
    say("Committed as 8c1f0a2. Cart and invoice now share `line_gross`; order 4711 is 59.99 in both places, as printed."),
]

RECONNECT = [
    prompt("npm test is flaky, 'reconnects after the server restarts' fails one time in five. I keep getting an error and the pipeline failed again this morning."),
    say("Let me look at the test and run it a few times to see the failure."),
    bash("for i in $(seq 5); do npx vitest run src/socket.test.ts --reporter=dot || break; done",
         " ·····x\n FAIL  src/socket.test.ts > Socket > reconnects after the server restarts\nError: Test timed out in 5000ms.\n", "", code=1, permission=True,
         description="Repeat the flaky test"),
    read("/home/jonas/live/src/socket.ts",
         "export class Socket {\n  private timer?: NodeJS.Timeout;\n  private attempt = 0;\n\n  connect() {\n    this.ws = new WebSocket(this.url);\n    this.ws.onclose = () => {\n"
         "      const wait = Math.min(30_000, 100 * 2 ** this.attempt++);\n      this.timer = setTimeout(() => this.connect(), wait);\n    };\n  }\n}\n"),
    think("attempt is never reset after a successful open, so the delay grows for ever; in the test the sixth reconnect waits 3.2 s and the seventh 6.4 s, over the limit of 5 s."),
    say("`attempt` is never reset when a connection opens, so later reconnects wait longer and longer. That explains one in five."),
    edit("/home/jonas/live/src/socket.ts", "    this.ws.onclose = () => {", "    this.ws.onopen = () => {\n      this.attempt = 0;\n    };\n    this.ws.onclose = () => {"),
    bash("for i in $(seq 10); do npx vitest run src/socket.test.ts --reporter=dot || break; done",
         " ······\n ······\n ····x·\n FAIL  src/socket.test.ts > Socket > reconnects after the server restarts\nAssertionError: expected 2 to be 1 // open sockets\n", code=1),
    prompt("still broken. it doesn't work, and now it opens two sockets?!"),
    think("Two sockets: onclose fires, timer set; the test calls connect() by hand too. Need to clear the timer in connect()."),
    say("You're right, that is a second bug: a manual connect() does not cancel the pending timer, so both connect."),
    edit("/home/jonas/live/src/socket.ts", "  connect() {\n", "  connect() {\n    clearTimeout(this.timer);\n    this.ws?.close(1000);\n"),
    bash("for i in $(seq 10); do npx vitest run src/socket.test.ts --reporter=dot || break; done",
         " x\nRangeError: Maximum call stack size exceeded\n    at Socket.connect (/home/jonas/live/src/socket.ts:9:14)\n", code=1),
    say("close() calls onclose, which connects again. The old handler has to go before the socket is closed."),
    edit("/home/jonas/live/src/socket.ts", "    this.ws?.close(1000);\n", "    if (this.ws) {\n      this.ws.onclose = null;\n      this.ws.close(1000);\n    }\n"),
    bash("for i in $(seq 50); do npx vitest run src/socket.test.ts --reporter=dot || break; done | tail -n 2", " ······\n Test Files  1 passed (1)\n"),
    bash("npm test", "\n Test Files  34 passed (34)\n      Tests  412 passed (412)\n   Duration  18.20s\n", description="Run the whole suite"),
    prompt("works! great. can you also jitter the delay so that all clients don't come back in the same second 🙏"),
    edit("/home/jonas/live/src/socket.ts", "      const wait = Math.min(30_000, 100 * 2 ** this.attempt++);",
         "      const ceiling = Math.min(30_000, 100 * 2 ** this.attempt++);\n      const wait = ceiling / 2 + (Math.random() * ceiling) / 2;"),
    bash("npm test && npm run lint", "\n      Tests  412 passed (412)\n\n> live@2.8.0 lint\n> eslint src --max-warnings 0\n\n"),
    say("Done: the delay is now between half of the ceiling and the ceiling. 412 tests pass, the linter is quiet."),
]

RACE = [
    prompt("go test -race reports a data race in internal/cache since Tuesday's merge. Please find the commit and repair it properly, no global lock."),
    subagent("Find out which commit introduced the race in internal/cache", "Commit 5be20c7 moved the eviction loop into its own goroutine; it reads c.size without c.mu.", [
        bash("git log --oneline --since='last monday' -- internal/cache", "5be20c7 cache: evict in the background\n91ad3f0 cache: count hits\n"),
        bash("git show 5be20c7 --stat", " internal/cache/cache.go | 48 +++++++++++++++++++++++++++++++-----------------\n 1 file changed, 31 insertions(+), 17 deletions(-)\n"),
        grep(r"c\.size", "internal/cache/cache.go:63:\tc.size += int64(len(v))", "internal/cache/cache.go:97:\tfor c.size > c.limit {"),
    ]),
    bash("go test -race ./internal/cache -run TestEvict -count=20",
         "==================\nWARNING: DATA RACE\nRead at 0x00c0001b8078 by goroutine 9:\n  example.org/tiles/internal/cache.(*Cache).evictLoop()\n      /home/ines/tiles/internal/cache/cache.go:97 +0x64\n\n"
         "Previous write at 0x00c0001b8078 by goroutine 8:\n  example.org/tiles/internal/cache.(*Cache).Put()\n      /home/ines/tiles/internal/cache/cache.go:63 +0x1a4\n==================\n--- FAIL: TestEvict (0.03s)\nFAIL\n",
         code=1, permission=True, description="Reproduce the race"),
    read("/home/ines/tiles/internal/cache/cache.go",
         "func (c *Cache) Put(k string, v []byte) {\n\tc.mu.Lock()\n\tdefer c.mu.Unlock()\n\tc.items[k] = v\n\tc.size += int64(len(v))\n\tselect {\n\tcase c.wake <- struct{}{}:\n\tdefault:\n\t}\n}\n\n"
         "func (c *Cache) evictLoop() {\n\tfor range c.wake {\n\t\tfor c.size > c.limit {\n\t\t\tc.evictOldest()\n\t\t}\n\t}\n}\n"),
    think("Simplest proper fix: make size atomic.Int64? The loop then still calls evictOldest which locks. But a check-then-act is fine since evictOldest is idempotent on empty. Atomic is right: no lock around the loop."),
    say("`evictLoop` reads `size` without the mutex. An atomic counter is enough: eviction re-checks under the lock anyway."),
    edit("/home/ines/tiles/internal/cache/cache.go", "\tc.size += int64(len(v))", "\tc.size.Add(int64(len(v)))"),
    edit("/home/ines/tiles/internal/cache/cache.go", "\t\tfor c.size > c.limit {", "\t\tfor c.size.Load() > c.limit {"),
    bash("go vet ./... && go test -race ./internal/cache -count=100",
         "# example.org/tiles/internal/cache\ninternal/cache/cache.go:112:9: invalid operation: c.size -= int64(len(v)) (mismatched types atomic.Int64 and int64)\n", code=1),
    edit("/home/ines/tiles/internal/cache/cache.go", "\tc.size -= int64(len(v))", "\tc.size.Add(-int64(len(v)))"),
    bash("go vet ./... && go test -race ./internal/cache -count=100", "ok  \texample.org/tiles/internal/cache\t11.402s\n"),
    bash("go test -race ./...", "ok  \texample.org/tiles/cmd/tiled\t2.114s\nok  \texample.org/tiles/internal/cache\t1.090s\nok  \texample.org/tiles/internal/store\t4.771s\n"),
    bash("go test ./internal/cache -bench Put -count=3", "BenchmarkPut-8   \t 9812044\t       121.7 ns/op\nBenchmarkPut-8   \t 9798120\t       122.0 ns/op\nBenchmarkPut-8   \t 9850331\t       121.5 ns/op\nPASS\n"),
    say("No race in 100 runs, and Put costs 122 ns as before. The cause was 5be20c7; the fix keeps its background eviction."),
    prompt("excellent. write the commit message so that it names 5be20c7"),
    bash("git commit -qam 'cache: count bytes atomically\n\n5be20c7 moved eviction into a goroutine that reads size without the mutex.' && git log -1 --oneline", "c77d0e1 cache: count bytes atomically\n",
         permission=True, description="Commit the fix"),
]

MIGRATE = [
    prompt("schema.sql と migrations/ を見て、`events.session_id` にインデックスを追加してください。本番は 9,000 万行あるので、ロックしないように。"),
    say("まず現在のスキーマと、既存の移行スクリプトの書き方を確認します。"),
    bash("ls migrations | tail -n 4 && grep -n 'events' schema.sql", "0041_add_cost.sql\n0042_drop_legacy.sql\n0043_sessions.sql\n0044_tags.sql\n118:CREATE TABLE events (\n"),
    read("/srv/ken/ledger/schema.sql", "CREATE TABLE events (\n  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n  session_id text NOT NULL,\n  at         timestamptz NOT NULL DEFAULT now(),\n  body       jsonb NOT NULL\n);\n"),
    think("CREATE INDEX CONCURRENTLY cannot run inside a transaction; their runner wraps each file in BEGIN/COMMIT unless the first line says -- no-transaction. Check."),
    grep("no-transaction", "tools/migrate.py:57:        if first_line.strip() == '-- no-transaction':"),
    write("/srv/ken/ledger/migrations/0045_events_session.sql",
          "-- no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS events_session_id_at ON events (session_id, at DESC);\n", permission=True),
    bash("python tools/migrate.py --dsn postgres:///ledger_test up", "0045_events_session.sql ... ERROR: permission denied for table events\n", "", code=1, permission=True, description="Apply to the test database"),
    prompt("ledger_test ではなく ledger_dev を使ってください。"),
    bash("python tools/migrate.py --dsn postgres:///ledger_dev up", "0045_events_session.sql ... ok (1.3 s)\n", permission=True),
    bash("psql ledger_dev -Atc \"EXPLAIN SELECT * FROM events WHERE session_id = 's' ORDER BY at DESC LIMIT 10\"",
         "Limit  (cost=0.43..8.61 rows=10 width=76)\n  ->  Index Scan using events_session_id_at on events  (cost=0.43..92.11 rows=112 width=76)\n"),
    say("インデックスは使われています。`CONCURRENTLY` なので書き込みは止まりません。失敗すると INVALID なインデックスが残るため、その確認を README に書き足します。"),
    edit("/srv/ken/ledger/README.md", "## Migrations", "## Migrations\n\nAfter a failed `CREATE INDEX CONCURRENTLY` drop the INVALID index before the next try."),
    ("compact", "auto"),
    say("要約後の続き: 残りはロールバック用スクリプトです。"),
    write("/srv/ken/ledger/migrations/0045_events_session.down.sql", "-- no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS events_session_id_at;\n"),
    bash("python tools/migrate.py --dsn postgres:///ledger_dev down 1 && python tools/migrate.py --dsn postgres:///ledger_dev up",
         "0045_events_session.down.sql ... ok (0.1 s)\n0045_events_session.sql ... ok (1.2 s)\n"),
    ("error", "Overloaded", True),
    say("往復とも成功しました。"),
    ("idle", "Claude is waiting for your input"),
]

DURATION = [
    prompt("`tick --for 1h30m` says \"invalid digit found in string\". It should accept what systemd accepts."),
    grep("fn parse_duration", "src/args.rs:31:pub fn parse_duration(s: &str) -> Result<Duration, ParseIntError> {"),
    read("/home/pat/tick/src/args.rs", "pub fn parse_duration(s: &str) -> Result<Duration, ParseIntError> {\n    let (number, unit) = s.split_at(s.len() - 1);\n    let n: u64 = number.parse()?;\n"
         "    Ok(match unit {\n        \"s\" => Duration::from_secs(n),\n        \"m\" => Duration::from_secs(60 * n),\n        _ => Duration::from_secs(3600 * n),\n    })\n}\n"),
    say("It takes one number and one letter only. I'd like to add the humantime crate rather than write a parser."),
    bash("cargo add humantime@2", "    Updating crates.io index\n      Adding humantime v2.1.0 to dependencies\n", permission=False, description="Add the humantime crate"),
    prompt("No new dependencies. Write it by hand, it's twenty lines."),
    edit("/home/pat/tick/src/args.rs", "    let (number, unit) = s.split_at(s.len() - 1);\n    let n: u64 = number.parse()?;",
         "    let mut total = Duration::ZERO;\n    let mut rest = s.trim();\n    while !rest.is_empty() {\n        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(BadDuration)?;\n        let n: u64 = rest[..digits].parse()?;"),
    bash("cargo test args", "error[E0425]: cannot find value `BadDuration` in this scope\n  --> src/args.rs:35:78\n\nerror: could not compile `tick` (bin \"tick\" test) due to 1 previous error\n", code=101),
    edit("/home/pat/tick/src/args.rs", "use std::time::Duration;", "use std::time::Duration;\n\n#[derive(Debug)]\npub struct BadDuration;"),
    bash("cargo test args", "error[E0277]: `?` couldn't convert the error to `ParseIntError`\n\nerror: could not compile `tick` (bin \"tick\" test) due to 1 previous error\n", code=101),
    edit("/home/pat/tick/src/args.rs", "Result<Duration, ParseIntError>", "Result<Duration, BadDuration>"),
    bash("cargo test args", "running 6 tests\ntest args::tests::plain_seconds ... ok\ntest args::tests::hours_and_minutes ... FAILED\n\n---- args::tests::hours_and_minutes stdout ----\n"
         "assertion `left == right` failed\n  left: 1800s\n right: 5400s\n\ntest result: FAILED. 5 passed; 1 failed\n", code=101),
    prompt("you overwrite total instead of adding to it. this is frustrating"),
    edit("/home/pat/tick/src/args.rs", "total = unit_of(rest)? * n;", "total += unit_of(rest)? * n;"),
    bash("cargo test", "running 41 tests\n.........................................\ntest result: ok. 41 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.18s\n"),
    say("All 41 tests pass; `tick --for 1h30m` runs for 90 minutes."),
    bash("cargo run -q -- --for '1h 30m 5s' --dry-run", "would run until 15:04:05 (1h 30m 5s)\n"),
]

REVIEW = [
    prompt("Review the diff of branch fix/rounding against main. Look for money errors first, style last."),
    bash("git diff main...fix/rounding --stat", " shop/cart.py    |  4 ++--\n shop/invoice.py |  2 +-\n shop/item.py    |  5 ++++-\n shop/money.py   | 10 ++++++++++\n 4 files changed, 17 insertions(+), 4 deletions(-)\n"),
    grep(r"quantize|round\(", "shop/money.py:9:    return (item.price * item.quantity * (1 + item.vat)).quantize(CENT, ROUND_HALF_UP)",
         "shop/shipping.py:19:    return Decimal(weight).quantize(CENT)", "shop/refund.py:33:        amount = round(line.gross * share, 2)"),
    read("/builds/review/shop/refund.py", "def refund(line, share):\n    \"\"\"Gives back `share` (0 to 1) of a line.\"\"\"\n    amount = round(line.gross * share, 2)\n    return Refund(line, amount)\n"),
    bash("python - <<'X'\nfrom decimal import Decimal as D\nprint(round(D('29.99') * D('0.5'), 2), 2 * round(D('29.99') * D('0.5'), 2))\nX", "15.00 30.00\n", description="Two half refunds of 29.99"),
    subagent("List every caller of refund()", "Only shop/api/returns.py:88 calls it, once per line.", [
        grep(r"refund\(", "shop/api/returns.py:88:    done = [refund(line, share) for line in lines]"),
        read("/builds/review/shop/api/returns.py", "@route(\"/returns\", method=\"POST\")\ndef returns(order, share):\n    done = [refund(line, share) for line in order.lines]\n    return sum(r.amount for r in done)\n"),
    ]),
    write("/builds/review/REVIEW.md", "1. refund.py rounds half to even and can give back a cent more than was paid (29.99 in two halves).\n2. shipping.py lacks a rounding mode.\n"),
]
