other-way-external = Mit der App des Identitätsproviders bestätigen
other-way-email = Einen Code per E-Mail erhalten

elsewhere-title = Bestätigen mit: { $name }
elsewhere-explain = Drücken Sie den Knopf: In „{ $name }“ erscheint eine Anfrage, mit der Sie bestätigen, dass Sie es sind. Halten Sie Ihr Gerät bereit.
elsewhere-begin = Anfrage senden
elsewhere-open = Öffnen Sie „{ $name }“ und bestätigen Sie dort die Anfrage.
elsewhere-number = Zahl
elsewhere-number-help = Bestätigen Sie nur, wenn dort dieselbe Zahl steht. Sehen Sie eine Anfrage, die Sie nicht selbst begonnen haben, lehnen Sie sie ab und ändern Sie Ihr Passwort: Jemand anderer kennt es.
elsewhere-waiting = Wir warten auf Ihre Bestätigung, bis { $time }. Diese Seite geht von selbst weiter.
elsewhere-silent = „{ $name }“ antwortet im Moment nicht. Wir versuchen es weiter; dauert es zu lange, wählen Sie unten einen anderen Weg oder brechen Sie ab.
elsewhere-check = Jetzt prüfen
elsewhere-again = Neue Anfrage senden
elsewhere-denied = Die Anfrage wurde in „{ $name }“ abgelehnt. Waren Sie das nicht, oder haben Sie diese Anmeldung nicht begonnen, ändern Sie Ihr Passwort.
elsewhere-unavailable = „{ $name }“ kann Sie nicht fragen: Vielleicht ist sie für Sie nicht aktiviert. Wählen Sie einen anderen Weg oder fragen Sie Ihren Identitätsprovider.
elsewhere-expired = Niemand hat die Anfrage rechtzeitig bestätigt. Sie können eine neue senden lassen.
elsewhere-locked = An „{ $name }“ wurden zu viele Anfragen gesendet, die niemand bestätigt hat. Zu Ihrer Sicherheit werden bis { $time } keine weiteren gesendet. Wählen Sie bis dahin einen anderen Weg; haben Sie es nicht selbst versucht, ändern Sie Ihr Passwort.

email-code-title = Code per E-Mail
email-code-explain = Wir senden einen Code an { $address }. Er gilt einmal, zehn Minuten lang.
email-code-send = Code senden
email-code-sent = Wir haben einen Code an { $address } gesendet: { $time }. Es kann eine Minute dauern; sehen Sie auch bei der unerwünschten Post nach.
email-code = Code aus der E-Mail
email-code-help = Die sechs Ziffern der letzten E-Mail. Frühere Codes gelten nicht mehr.
email-code-again = Neuen Code senden
email-code-wrong = Der Code stimmt nicht oder gilt nicht mehr. Verwenden Sie den der letzten E-Mail, oder lassen Sie einen neuen senden.
