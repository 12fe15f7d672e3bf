"""Checks before the first event is sent: does the event type take our events?"""
