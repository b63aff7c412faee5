"""A session: one investigation, its status, and the person's way in. See `orchestrator.session.core`."""

from orchestrator.session.core import Session
from orchestrator.session.parts import SessionFault
from orchestrator.session.settings import Settings
from orchestrator.session.status import IllegalTransition, Standing

__all__ = ["IllegalTransition", "Session", "SessionFault", "Settings", "Standing"]
