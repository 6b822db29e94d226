desk-section-dashboard = Panoramica
desk-dashboard-range = Periodo mostrato
desk-dashboard-range-day = 24 ore
desk-dashboard-range-week = 7 giorni
desk-dashboard-range-month = 30 giorni
desk-dashboard-range-year = 365 giorni
desk-dashboard-chart-result = Accessi per esito
desk-dashboard-chart-level = Accessi per livello
desk-dashboard-chart-issuer = Accessi per provider
desk-dashboard-chart-rp = Accessi per servizio (i più usati)
desk-dashboard-chart-refusals = Richieste rifiutate per motivo
desk-dashboard-result-granted = concessi
desk-dashboard-result-denied = negati dalla persona
desk-dashboard-result-failed = password o codice errati
desk-dashboard-table = Gli stessi numeri in una tabella
desk-dashboard-from = Da
desk-dashboard-nothing = Nulla in questo periodo.
desk-dashboard-busiest = Servizi con più accessi
desk-dashboard-busiest-from = Contati dal { $time }.
desk-dashboard-ending = Catene di fiducia che scadono entro 24 ore
desk-dashboard-no_ending = Nessuna.
desk-dashboard-keys = Chiavi in uso
desk-dashboard-days = da { $days } giorni
desk-dashboard-nodes = Nodi attivi
desk-dashboard-no_nodes = Nessun nodo si è fatto vivo negli ultimi 30 secondi.
desk-dashboard-since = dal
desk-dashboard-clock-ahead = { $seconds ->
    [one] il suo orologio è avanti di un secondo rispetto a quello del database: lo corregga
   *[other] il suo orologio è avanti di { $seconds } secondi rispetto a quello del database: lo corregga
}
desk-dashboard-clock-behind = { $seconds ->
    [one] il suo orologio è indietro di un secondo rispetto a quello del database: lo corregga
   *[other] il suo orologio è indietro di { $seconds } secondi rispetto a quello del database: lo corregga
}
desk-dashboard-mails = E-mail
desk-dashboard-mails-state = { $queued } da inviare, { $failed } non consegnate.
