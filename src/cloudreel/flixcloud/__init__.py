"""Flix Cloud: transcoding jobs as XML documents, their status, and the notification at their end."""
