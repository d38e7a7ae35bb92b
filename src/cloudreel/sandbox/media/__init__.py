"""Real transcoding by ffmpeg: what a file is, and how a profile turns it into another.

``presets`` and ``command`` are pure (a profile becomes a recipe, a recipe becomes arguments), ``probe``
reads what ffmpeg says about a file, ``transcoder`` runs the processes.
"""

from __future__ import annotations

from cloudreel.sandbox.media.ffmpeg import FfmpegMissing, find_ffmpeg
from cloudreel.sandbox.media.presets import PRESETS, BadProfile, Recipe, recipe_from_profile
from cloudreel.sandbox.media.probe import MediaInfo, NotMedia
from cloudreel.sandbox.media.transcoder import Encoded, EncodingFailed, Transcoder

__all__ = [
    "PRESETS",
    "BadProfile",
    "Encoded",
    "EncodingFailed",
    "FfmpegMissing",
    "MediaInfo",
    "NotMedia",
    "Recipe",
    "Transcoder",
    "find_ffmpeg",
    "recipe_from_profile",
]
