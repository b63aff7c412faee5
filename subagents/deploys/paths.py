"""What kind of file a path is, told from its name alone."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

PathClass = Literal[
    "code", "test", "docs", "ci", "style", "lock", "manifest", "migration", "config", "infra", "binary", "generated"
]

INERT: frozenset[PathClass] = frozenset({"test", "docs", "ci", "style"})
"""Classes of files that do not run in production."""

_TEST = re.compile(
    r"(^|/)(tests?|testing|__tests__|testdata|spec|specs|fixtures|e2e|golden|mocks?|testutils?)/"
    r"|(^|/)(test_[^/]*|conftest\.py$)|[_.-](test|tests|spec|unittest|fuzz_test|stories)\.[\w.]+$|[a-z]Tests?\.(java|kt|cs|scala)$"
)
_DOCS = re.compile(
    r"(^|/)(docs?|documentation|man|releasenotes|changelogs?|adr|rfcs?)/|\.(md|rst|adoc|mdx|tex)$"
    r"|(^|/)(README|CHANGELOG|CHANGES|LICEN[CS]E|NOTICE|AUTHORS|CODEOWNERS|MAINTAINERS|OWNERS(_ALIASES)?|CONTRIBUTING|SECURITY)"
    r"([-.][A-Z]+[\w-]*)?(\.(txt|html|in))?$",
    re.IGNORECASE,
)
_CI = re.compile(
    r"(^|/)\.(github|circleci|gitlab|buildkite|zuul\.d|travis|azure-pipelines)(/|\.|$)|(^|/)(Jenkinsfile|azure-pipelines\.yml"
    r"|\.gitlab-ci\.ya?ml|\.travis\.ya?ml|tox\.ini|noxfile\.py|\.pre-commit-config\.yaml|\.zuul\.yaml|\.golangci\.ya?ml|\.eslintrc[^/]*|\.prettierrc[^/]*"
    r"|\.editorconfig|\.gitignore|\.gitattributes|\.mailmap|codecov\.ya?ml|renovate\.json|dependabot\.yml)$"
)
_STYLE = re.compile(r"\.(css|scss|sass|less|styl|svg|png|jpe?g|gif|ico|webp|woff2?|ttf)$", re.IGNORECASE)
_LOCK = re.compile(
    r"(^|/)(go\.sum|package-lock\.json|yarn\.lock|pnpm-lock\.yaml|Cargo\.lock|poetry\.lock|uv\.lock|Gemfile\.lock|Pipfile\.lock|\.terraform\.lock\.hcl)$"
)
_MANIFEST = re.compile(
    r"(^|/)(go\.mod|package\.json|Cargo\.toml|pyproject\.toml|setup\.(py|cfg)|[\w-]*requirements[\w-]*\.(txt|in)|Pipfile|Gemfile"
    r"|pom\.xml|build\.gradle(\.kts)?|libs\.versions\.toml|composer\.json|mix\.exs|constraints\.txt|DEPS|WORKSPACE)$"
)
_MIGRATION = re.compile(
    r"(^|/)(migrations?|migrate|alembic|flyway|liquibase|db/changelog|schema)/|\.sql$", re.IGNORECASE
)
_INFRA = re.compile(
    r"(^|/)(charts?|helm|k8s|kubernetes|manifests|deploy(ments?)?|terraform|infra|ansible|kustomize|argocd)/|\.(tf|tfvars|hcl)$"
    r"|(^|/)(Dockerfile[^/]*|docker-compose[^/]*\.ya?ml|Procfile|nginx\.conf|haproxy\.cfg)$",
    re.IGNORECASE,
)
_CONFIG = re.compile(
    r"\.(ya?ml|toml|ini|cfg|conf|properties|env|json|xml|cnf|cue|star)$|(^|/)\.env[^/]*$", re.IGNORECASE
)
_BINARY = re.compile(r"\.(jar|zip|gz|tgz|so|dll|exe|bin|pdf|wasm|class|pyc|parquet|db)$", re.IGNORECASE)
_GENERATED = re.compile(
    r"(\.pb\.go|_pb2(_grpc)?\.py|\.pb\.(cc|h)|\.generated\.\w+|\.min\.js|_generated\.\w+)$|(^|/)(dist|node_modules)/"
)
_ORDER: tuple[tuple[PathClass, re.Pattern[str]], ...] = (
    ("test", _TEST),
    ("ci", _CI),
    ("lock", _LOCK),
    ("manifest", _MANIFEST),
    ("migration", _MIGRATION),
    ("docs", _DOCS),
    ("style", _STYLE),
    ("generated", _GENERATED),
    ("binary", _BINARY),
    ("infra", _INFRA),
    ("config", _CONFIG),
)

_SHARED = re.compile(
    r"^(?:(?:src|go|java|python|backend|server|code|source|monorepo)/)?"
    r"(pkg|libs?|common|shared|core|internal|vendor|packages|platform|sdk|framework|base|protos?|third_party|clients?"
    r"|middleware|runtime|foundation|toolkit)/",
    re.IGNORECASE,
)
_NOT_PRODUCTION = re.compile(
    r"(^|[/._-])(staging|stage|sandbox|dev|devel|development|qa|local|preprod|testing|example|examples)([/._-]|$)",
    re.IGNORECASE,
)


@lru_cache(maxsize=1 << 15)
def path_class(path: str) -> PathClass:
    """Return the class of a file; `code` where nothing else is known."""
    for name, pattern in _ORDER:
        if pattern.search(path):
            return name
    return "code"


@lru_cache(maxsize=1 << 15)
def is_shared(path: str) -> bool:
    """Say whether a path looks like code that several services link: a library directory or the root's manifest."""
    return bool(_SHARED.search(path)) or ("/" not in path and path_class(path) in ("manifest", "lock"))


@lru_cache(maxsize=1 << 15)
def not_production(path: str) -> bool:
    """Say whether a path names an environment other than production."""
    return bool(_NOT_PRODUCTION.search(path))
