"""Alerts on their way from the outbox to receivers: at least once, in order for each subject.

`outbox` reads what the sensor promised to tell, `delivery` keeps what became of it for each receiver, `worker` decides
what is sent next, `receivers` send. Nothing here decodes or captures.
"""
