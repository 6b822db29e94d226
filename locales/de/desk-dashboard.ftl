desk-section-dashboard = Übersicht
desk-dashboard-range = Gezeigter Zeitraum
desk-dashboard-range-day = 24 Stunden
desk-dashboard-range-week = 7 Tage
desk-dashboard-range-month = 30 Tage
desk-dashboard-range-year = 365 Tage
desk-dashboard-chart-result = Anmeldungen nach Ergebnis
desk-dashboard-chart-level = Anmeldungen nach Stufe
desk-dashboard-chart-issuer = Anmeldungen nach Anbieter
desk-dashboard-chart-rp = Anmeldungen nach Dienst (die meistgenutzten)
desk-dashboard-chart-refusals = Abgelehnte Anfragen nach Grund
desk-dashboard-result-granted = gewährt
desk-dashboard-result-denied = von der Person abgelehnt
desk-dashboard-result-failed = Passwort oder Code falsch
desk-dashboard-table = Dieselben Zahlen als Tabelle
desk-dashboard-from = Ab
desk-dashboard-nothing = Nichts in diesem Zeitraum.
desk-dashboard-busiest = Dienste mit den meisten Anmeldungen
desk-dashboard-busiest-from = Gezählt seit { $time }.
desk-dashboard-ending = Vertrauensketten, die in 24 Stunden enden
desk-dashboard-no_ending = Keine.
desk-dashboard-keys = Schlüssel in Gebrauch
desk-dashboard-days = seit { $days } Tagen
desk-dashboard-nodes = Aktive Knoten
desk-dashboard-no_nodes = Kein Knoten hat sich in den letzten 30 Sekunden gemeldet.
desk-dashboard-since = seit
desk-dashboard-clock-ahead = { $seconds ->
    [one] ihre Uhr geht gegenüber jener der Datenbank eine Sekunde vor: stellen Sie sie richtig
   *[other] ihre Uhr geht gegenüber jener der Datenbank { $seconds } Sekunden vor: stellen Sie sie richtig
}
desk-dashboard-clock-behind = { $seconds ->
    [one] ihre Uhr geht gegenüber jener der Datenbank eine Sekunde nach: stellen Sie sie richtig
   *[other] ihre Uhr geht gegenüber jener der Datenbank { $seconds } Sekunden nach: stellen Sie sie richtig
}
desk-dashboard-mails = E-Mails
desk-dashboard-mails-state = { $queued } warten auf den Versand, { $failed } wurden aufgegeben.
