"""Settings: warroom.toml (the user's, the project's) and the environment."""

from orchestrator.config.check import check
from orchestrator.config.load import FILE_NAME, Loaded, SettingsFile, load_settings
from orchestrator.config.model import (
    Bounds,
    Budgets,
    EngineSettings,
    PolicyRule,
    ServiceSettings,
    Settings,
    SourceSettings,
    TestSettings,
    settings_schema,
)
from orchestrator.config.read import ConfigError
from orchestrator.config.recorded import RECORDED, recorded_rules, with_recorded
from orchestrator.config.starter import starter_toml
from orchestrator.config.trust import accept, user_file

__all__ = [
    "FILE_NAME",
    "RECORDED",
    "Bounds",
    "Budgets",
    "ConfigError",
    "EngineSettings",
    "Loaded",
    "PolicyRule",
    "ServiceSettings",
    "Settings",
    "SettingsFile",
    "SourceSettings",
    "TestSettings",
    "accept",
    "check",
    "load_settings",
    "recorded_rules",
    "settings_schema",
    "starter_toml",
    "user_file",
    "with_recorded",
]
