"""What a diff does is read from its syntax, whatever its message says."""

from __future__ import annotations

import pytest

from subagents.deploys.diffkinds import KINDS, read_diff_kinds
from subagents.deploys.paths import is_shared, not_production, path_class
from subagents.deploys.settings_signs import quantities
from subagents.deploys.sources.patch import parse_patch


def kinds(path: str, body: str) -> set[str]:
    reading = read_diff_kinds(parse_patch(f"--- a/{path}\n+++ b/{path}\n@@ -1,9 +1,9 @@\n{body}"))
    return {sign.kind for sign in reading.signs}


def innocent(path: str, body: str) -> str | None:
    return read_diff_kinds(parse_patch(f"--- a/{path}\n+++ b/{path}\n@@ -1,9 +1,9 @@\n{body}")).innocent


def test_a_submodule_that_moves_is_a_dependency_that_is_not_shown() -> None:
    body = f"-Subproject commit {'a' * 40}\n+Subproject commit {'b' * 40}\n"
    (sign,) = read_diff_kinds(parse_patch(f"--- a/lib\n+++ b/lib\n@@ -1 +1 @@\n{body}")).signs
    assert sign.kind == "bumped_dependency"
    assert sign.what == "submodule lib goes from aaaaaaa to bbbbbbb; what that brings is in its own repository"
    assert "bumped_dependency" not in kinds("docs/notes.rst", "-a\n+Subproject commits are pointers\n")


@pytest.mark.parametrize(
    ("new", "goes"), [("return client.build();", True), ("return client.enableRetry(false);", False)]
)
def test_a_setting_that_is_made_by_a_call_goes_with_the_call(new: str, goes: bool) -> None:
    found = kinds("A.java", f"-        return client.connectTo(host).enableRetry(true);\n+        {new}")
    assert ("removed_key" in found) is goes


@pytest.mark.parametrize(
    ("kind", "path", "body"),
    [
        ("query_in_loop", "a.py", " for row in rows:\n+    owner = db.fetch_owner(row.owner_id)\n     yield row"),
        ("query_in_loop", "a.go", " for _, it := range items {\n+\tp, err := s.priceClient.Get(ctx, it.ID)\n }"),
        ("query_in_loop", "a.js", "+orders.forEach(o => {\n+  await fetch(url + o.id)\n+})"),
        ("removed_bound", "a.py", "-    resp = get(url, timeout=5)\n+    resp = get(url)"),
        ("removed_bound", "q.sql", "-SELECT a FROM b ORDER BY c LIMIT 100\n+SELECT a FROM b ORDER BY c"),
        (
            "removed_bound",
            "a.go",
            "-\tctx, cancel := context.WithTimeout(ctx, d)\n+\tctx, cancel := context.WithCancel(ctx)",
        ),
        ("lowered_limit", "a.yaml", "-  pool_size: 50\n+  pool_size: 5"),
        ("lowered_limit", "a.go", "-\tDefaultTTL: 10 * time.Minute,\n+\tDefaultTTL: 10 * time.Second,"),
        ("lowered_limit", "charts/x/values.yaml", "-    memory: 1Gi\n+    memory: 256Mi"),
        ("raised_limit", "a.properties", "-batch.size=100\n+batch.size=10000"),
        ("changed_retry", "a.go", "-\ttime.Sleep(backoff << i)\n+\tcontinue // retry at once\n \tretry()"),
        ("dropped_guard", "a.go", "-\tif resp == nil {\n-\t\treturn errEmpty\n-\t}\n \treturn resp.Body"),
        ("dropped_guard", "A.java", "-    if (user == null) return;\n     use(user);"),
        ("dropped_guard", "a.ts", "-  const n = user?.name ?? ''\n+  const n = user.name"),
        (
            "changed_lock",
            "a.go",
            "+\tmu.Lock()\n+\tdefer mu.Unlock()\n \tload()\n-\tmu.Lock()\n-\tc[k] = v\n-\tmu.Unlock()\n+\tc[k] = v",
        ),
        ("added_lock", "a.py", "+    with self.lock:\n+        self.flush()"),
        ("removed_lock", "a.py", "-    with self.lock:\n-        self.flush()\n+    self.flush()"),
        ("schema_change", "db/migrations/1.sql", "+ALTER TABLE orders DROP COLUMN total;"),
        ("removed_index", "db/migrations/2.sql", "+DROP INDEX idx_orders_user;"),
        ("heavy_migration", "db/migrations/3.sql", "+CREATE INDEX idx ON orders (user_id);"),
        ("light_migration", "db/migrations/4.sql", "+CREATE INDEX CONCURRENTLY idx ON orders (user_id);"),
        ("unmigrated_table", "dao.py", '+    return run("SELECT a FROM wish_lists WHERE u = :u")'),
        ("changed_format", "m.go", '-\tTotal int `json:"total"`\n+\tTotal int `json:"grand_total"`'),
        ("changed_format", "m.proto", "-  string name = 2;\n+  string name = 3;"),
        ("bumped_dependency", "go.mod", "-\tgithub.com/x/y v1.2.0\n+\tgithub.com/x/y v2.0.0"),
        ("renamed_key", "app.yaml", "-db_host: pg\n+database_host: pg"),
        ("renamed_key", "a.py", "-host = os.environ['DB_HOST']\n+host = os.environ['DATABASE_HOST']"),
        ("toggled", "app.yaml", "-  verify_tls: true\n+  verify_tls: false"),
        ("changed_address", "app.yaml", "-  url: http://cart.internal:8080\n+  url: http://cart.internal:9090"),
        ("changed_condition", "a.py", "-if retries < limit:\n+if retries <= limit:"),
        ("removed_cache", "a.go", "-\treturn s.cache.GetOrLoad(k, s.load)\n+\treturn s.load(k)"),
        ("removed_batch", "a.py", "-qs = Order.objects.select_related('user')\n+qs = Order.objects.all()"),
        ("removed_release", "a.go", "-\tdefer rows.Close()\n \tfor rows.Next() {"),
        (
            "unscoped_release",
            "a.py",
            "-    async with self.slots.connection() as c:\n-        return work(c)\n"
            "+    c = await self.slots.acquire()\n+    done = work(c)\n+    self.slots.give_back(c)\n+    return done",
        ),
        ("unbounded_growth", "a.py", "+    self.seen[request.id] = request"),
        ("added_wait", "a.py", "+    time.sleep(2)"),
        ("new_raise", "a.go", '+\tpanic("no config")'),
        ("removed_async", "a.js", "-  await Promise.all(jobs.map(run))\n+  runSerially(jobs)"),
    ],
)
def test_dangerous_kinds(kind: str, path: str, body: str) -> None:
    assert kind in kinds(path, body)
    assert innocent(path, body) is None


@pytest.mark.parametrize(
    ("why", "path", "body"),
    [
        ("comments", "a.py", "-# old timeout = 5\n+# new timeout = 1"),
        ("comments", "a.go", "+// LIMIT 5 is applied elsewhere"),
        ("formatting", "a.py", "-x = f(a,b)\n+x = f(a, b)"),
        ("formatting", "a.go", "-\tif ok {\n+\t\tif ok {"),
        ("logging", "a.go", '-\tlog.Debugf("got %d", n)\n+\tlog.Infof("got %d items", n)'),
        ("logging", "a.cpp", '-    LOG_DEBUG(log, "x");\n+    LOG_INFO(log, "x {}", y);'),
        ("metrics", "a.go", '+var hits = prometheus.NewCounter(prometheus.CounterOpts{Name: "hits"})\n+\thits.Inc()'),
        (
            "wording",
            "a.go",
            '-\treturn errors.New("could not recieve it")\n+\treturn errors.New("could not receive it")',
        ),
        ("test", "tests/test_a.py", "-assert x\n+assert y"),
        ("test", "pkg/a_test.go", "+func TestA(t *testing.T) {}"),
        ("docs", "docs/a.md", "+timeout = 1"),
        ("ci", ".github/workflows/ci.yml", "-  timeout: 5\n+  timeout: 1"),
        ("style", "web/a.css", "-a { top: 1px }\n+a { top: 2px }"),
        ("look", "web/theme.ts", '-  accent: "#ffffff",\n+  accent: "#000000",'),
        ("nowhere", "deploy/staging/app.yaml", "-  replicas: 3\n+  replicas: 1"),
    ],
)
def test_what_cannot_have_an_effect(why: str, path: str, body: str) -> None:
    assert innocent(path, body) == why


def test_a_dangerous_line_among_innocent_ones_is_found() -> None:
    body = "-# a\n+# b\n-log.info('x')\n+log.info('y')\n-pool_size = 40\n+pool_size = 4"
    assert innocent("a.py", body) is None
    assert "lowered_limit" in kinds("a.py", body)


def test_a_log_line_that_calls_a_query_is_not_only_logging() -> None:
    assert innocent("a.py", "+    log.info('total', extra=db.query_total(user))") is None


def test_moved_code_weighs_little() -> None:
    extracted = (
        "--- a/a.go\n+++ b/a.go\n@@ -1,5 +1,2 @@ func A()\n-\tif req == nil {\n-\t\treturn errEmpty\n-\t}\n"
        "-\tparams.Amount = client.Int(req.Cents)\n-\tparams.Currency = client.String(req.Currency)\n"
        "+\tp := build(req)\n"
        "--- a/b.go\n+++ b/b.go\n@@ -0,0 +1,6 @@ func build()\n+\tif req == nil {\n+\t\treturn errEmpty\n+\t}\n"
        "+\tp.Amount = client.Int(req.Cents)\n+\tp.Currency = client.String(req.Currency)\n"
    )
    dropped = extracted[: extracted.index("--- a/b.go")]
    assert read_diff_kinds(parse_patch(extracted)).danger < 0.6
    assert read_diff_kinds(parse_patch(dropped)).danger > 1.0


def test_size_alone_is_not_danger() -> None:
    large = "\n".join(f"+    total_{n} = first_{n} + second_{n}" for n in range(500))
    small = "-pool_size = 40\n+pool_size = 4"
    one, other = (read_diff_kinds(parse_patch(f"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n{b}")) for b in (large, small))
    assert other.danger > 3 * one.danger


def test_odd_diffs_are_read_without_a_traceback() -> None:
    for text in (
        "",
        "@@",
        "+++ b/x\n@@ -1 +1 @@\n" + "+" + "(" * 5000,
        "--- a/x\n+++ b/x\n@@ @@\n+\x00\x01\n-\ufffd",
        "Binary files a and b differ",
    ):
        assert read_diff_kinds(parse_patch(text)).danger >= 0.0


def test_units_are_folded_in() -> None:
    assert quantities("timeout: 5m")[0][0] == 300
    assert quantities("15 * time.Second")[0][0] == 15
    assert quantities("memory: 2Gi")[0][0] == 2**31
    assert quantities("n = 1_000")[0][0] == 1000


def test_paths() -> None:
    assert path_class("go.sum") == "lock"
    assert path_class("svc/requirements.txt") == "manifest"
    assert path_class("src/contest/view.py") == "code"
    assert path_class("k8s/cart.yaml") == "infra"
    assert is_shared("pkg/db/pool.go")
    assert not is_shared("cart/internal/db.go")
    assert not_production("deploy/staging/x.yaml")
    assert not not_production("src/stagecoach/x.py")


def test_every_sign_is_a_known_kind() -> None:
    assert all(0 <= kind.danger <= 2 for kind in KINDS.values())


def test_what_a_block_gives_back_is_not_left_open() -> None:
    assert "opened_unreleased" in kinds("a.py", "+    c = pool.acquire()\n+    return work(c)")
    assert "opened_unreleased" not in kinds("a.py", "+    async with pool.connection() as c:\n+        return work(c)")
    assert "opened_unreleased" not in kinds("a.py", "+    with open(path) as file:\n+        return file.read()")
    assert "unscoped_release" not in kinds(
        "a.py", "-    with pool.connection() as c:\n+    with pool.acquire(wait=True) as c:\n         work(c)"
    )


def test_what_a_pool_lends_is_no_lock() -> None:
    assert (
        kinds("a.py", "+    c = await self.pool.acquire()\n+    pool.release(c)") & {"added_lock", "changed_lock"}
        == set()
    )
    assert "added_lock" in kinds("a.py", "+    await self.mutex.acquire()")


def test_a_projects_own_version_is_no_dependency() -> None:
    assert "bumped_dependency" not in kinds("pyproject.toml", ' [project]\n-version = "1.3.0"\n+version = "1.4.0"')
    assert "bumped_dependency" not in kinds("package.json", '-  "version": "1.3.0",\n+  "version": "2.0.0",')
    assert "bumped_dependency" in kinds("Cargo.toml", ' [dependencies.x]\n-version = "1.3.0"\n+version = "2.0.0"')


def test_words_in_texts_compare_nothing() -> None:
    assert "changed_condition" not in kinds(
        "a.py", '-    return f"Paid {n}."\n+    return f"Paid {n} or not, it is in."'
    )


def lost(path: str, body: str) -> list[str]:
    text = (
        f"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = f(2)\n--- a/{path}\n+++ b/{path}\n@@ -3,9 +3,9 @@\n{body}"
    )
    return [test.name for test in read_diff_kinds(parse_patch(text)).lost_tests]


def test_a_test_that_goes_along_is_seen() -> None:
    assert lost("tests/test_a.py", " x\n-def test_limit():\n-    assert f(1)\n y") == ["test_limit"]
    assert lost("pkg/a_test.go", " x\n-func TestLimit(t *testing.T) {\n-}\n y") == ["TestLimit"]
    assert lost("web/a.test.ts", " x\n-it('keeps the limit', () => {\n-})\n y") == ["keeps the limit"]


def test_a_test_that_is_renamed_moved_or_no_test_is_not_lost() -> None:
    assert lost("tests/test_a.py", "-def test_limit():\n+def test_limits():\n     assert f(1)") == []
    removed, again = "-def test_limit():\n-    assert f(1)\n", "+def test_limit():\n+    assert f(1)"
    moved = f"{removed}--- a/tests/test_b.py\n+++ b/tests/test_b.py\n@@ -1 +1,2 @@\n{again}"
    assert lost("tests/test_a.py", moved) == []
    assert lost("a_module.py", "-def test_connection():\n-    return ping()") == []
    only = "--- a/tests/test_a.py\n+++ b/tests/test_a.py\n@@ -1,2 +0,0 @@\n-def test_limit():\n-    assert f(1)\n"
    assert read_diff_kinds(parse_patch(only)).lost_tests == ()
