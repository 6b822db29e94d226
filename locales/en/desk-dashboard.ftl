desk-section-dashboard = Overview
desk-dashboard-range = Time shown
desk-dashboard-range-day = 24 hours
desk-dashboard-range-week = 7 days
desk-dashboard-range-month = 30 days
desk-dashboard-range-year = 365 days
desk-dashboard-chart-result = Logins by result
desk-dashboard-chart-level = Logins by level
desk-dashboard-chart-issuer = Logins by issuer
desk-dashboard-chart-rp = Logins by relying party (the busiest)
desk-dashboard-chart-refusals = Refused requests by reason
desk-dashboard-result-granted = granted
desk-dashboard-result-denied = denied by the person
desk-dashboard-result-failed = wrong password or code
desk-dashboard-table = The same numbers as a table
desk-dashboard-from = From
desk-dashboard-nothing = Nothing in this time.
desk-dashboard-busiest = Relying parties with most logins
desk-dashboard-busiest-from = Counted since { $time }.
desk-dashboard-ending = Trust chains that end within 24 hours
desk-dashboard-no_ending = None.
desk-dashboard-keys = Keys in use
desk-dashboard-days = for { $days } days
desk-dashboard-nodes = Nodes alive
desk-dashboard-no_nodes = No node has reported in the last 30 seconds.
desk-dashboard-since = since
desk-dashboard-clock-ahead = { $seconds ->
    [one] its clock is one second ahead of the database’s: put it right
   *[other] its clock is { $seconds } seconds ahead of the database’s: put it right
}
desk-dashboard-clock-behind = { $seconds ->
    [one] its clock is one second behind the database’s: put it right
   *[other] its clock is { $seconds } seconds behind the database’s: put it right
}
desk-dashboard-mails = E-mails
desk-dashboard-mails-state = { $queued } waiting to be sent, { $failed } given up.
