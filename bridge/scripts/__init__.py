"""Scripts: what happens on a call. Requests are compiled into one form of script, and interpreted. Pure: no I/O."""

from bridge.scripts.compile import compile_click_to_call, compile_message, compile_scenario
from bridge.scripts.engine.interpreter import Interpreter
from bridge.scripts.language.problems import ScriptInvalid
from bridge.scripts.script import Script

__all__ = [
    "Interpreter",
    "Script",
    "ScriptInvalid",
    "compile_click_to_call",
    "compile_message",
    "compile_scenario",
]
