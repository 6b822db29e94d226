second-factor-title = Bestätigen Sie Ihre Identität
second-factor-submit = Bestätigen
otp = Einmalcode
otp-help = Die sechs Ziffern, die Ihre Authentifizierungs-App gerade anzeigt.
recovery-code = Wiederherstellungscode
recovery-code-help = Einer der Codes, die Sie bei der Registrierung der App aufbewahrt haben. Jeder gilt einmal.
other-way-recovery = Ich habe die App nicht zur Hand: Wiederherstellungscode verwenden
other-way-totp = Code der App verwenden
login-as-other = Als andere Person anmelden

no-factor-title = Ein zweiter Faktor ist nötig
no-factor-enrol = Der Dienst verlangt eine Anmeldung mit zweitem Faktor, und Sie haben noch keinen registriert. Sie können jetzt eine Authentifizierungs-App auf Ihrem Telefon registrieren: das dauert etwa eine Minute. Danach geht die Anmeldung weiter.
no-factor-enrol-button = App registrieren
no-factor-operator = Der Dienst verlangt eine Anmeldung mit zweitem Faktor, und für Sie ist keiner registriert. Bitte wenden Sie sich an den Kundendienst von { $organization }. Wenn Sie abbrechen, kehren Sie zum Dienst zurück.

proof-error-missing = Füllen Sie alle Felder aus.
proof-error-wrong_password = Das Passwort ist nicht richtig. Bitte prüfen Sie es und versuchen Sie es noch einmal.
proof-error-wrong_code = Der Code ist nicht richtig. Sehen Sie noch einmal in der App nach: der Code ändert sich alle 30 Sekunden. Wenn er nie stimmt, prüfen Sie, ob die Uhr Ihres Telefons automatisch gestellt wird.
proof-error-used_before = Dieser Code wurde schon verwendet. Warten Sie höchstens 30 Sekunden, bis die App den nächsten anzeigt, und geben Sie diesen ein.
proof-error-clock_ahead = { $minutes ->
    [one] Der Code gehört zu einer anderen Zeit: Die Uhr Ihres Telefons geht eine Minute vor.
   *[other] Der Code gehört zu einer anderen Zeit: Die Uhr Ihres Telefons geht { $minutes } Minuten vor.
}
proof-error-clock_behind = { $minutes ->
    [one] Der Code ist eine Minute alt. Wenn die App ihn jetzt gerade anzeigt, geht die Uhr Ihres Telefons eine Minute nach.
   *[other] Der Code ist { $minutes } Minuten alt. Wenn die App ihn jetzt gerade anzeigt, geht die Uhr Ihres Telefons { $minutes } Minuten nach.
}
proof-error-clock_set = Stellen Sie in den Einstellungen des Telefons Datum und Uhrzeit auf automatisch; geben Sie dann den Code ein, den die App anzeigt.
proof-error-server_behind = Der Code kann nicht angenommen werden: Die Uhr dieses Systems ging zurück, Sie haben nichts falsch gemacht. Versuchen Sie es nach { $time } noch einmal oder melden Sie sich auf andere Weise an; wenn es eilt, verständigen Sie den Kundendienst.
proof-error-of_the_future = Der Code wurde gesendet, bevor die Uhr dieses Systems zurückging, und gilt nicht mehr. Fordern Sie einen neuen an.
proof-error-locked = Zu viele falsche Codes. Zu Ihrer Sicherheit werden solche Codes bis { $time } abgelehnt. Bis dahin können Sie einen Wiederherstellungscode verwenden; wenn Sie es nicht selbst versucht haben, ändern Sie Ihr Passwort.
proof-error-expired = Es hat zu lange gedauert. Bitte beginnen Sie noch einmal.
proof-error-busy = Zurzeit gibt es sehr viele Anmeldungen. Bitte warten Sie einige Sekunden und versuchen Sie es noch einmal.
proof-error-password_length = Das neue Passwort braucht mindestens 8 Zeichen und höchstens 1024 Byte.
proof-error-passwords_differ = Die beiden neuen Passwörter sind verschieden. Geben Sie zweimal dasselbe ein.
proof-error-same_password = Das neue Passwort ist Ihr jetziges. Wählen Sie ein anderes.
proof-error-too_many = Sie haben bereits die höchste Zahl zweiter Faktoren. Entfernen Sie zuerst einen.

enrol-title = Authentifizierungs-App registrieren
enrol-failed = Die App ist noch nicht registriert
enrol-intro = Verwenden Sie eine beliebige App für Einmalcodes (TOTP), zum Beispiel FreeOTP, Aegis, Google Authenticator oder Ihren Passwortmanager. Was Sie hier sehen, ist geheim: zeigen Sie es niemandem.
enrol-scan = Scannen Sie diesen Code mit der App:
enrol-qr = QR-Code mit dem Geheimnis Ihres neuen zweiten Faktors
enrol-type = Oder tippen Sie diesen Schlüssel in die App:
enrol-open = Oder öffnen Sie ihn in einer App auf diesem Gerät
enrol-code = Geben Sie die sechs Ziffern ein, die die App dann anzeigt. Von da an gilt der zweite Faktor.
enrol-submit = Registrieren

codes-title = Ihre Wiederherstellungscodes
codes-explain = Wenn Sie die App nicht zur Hand haben, ersetzt einer dieser Codes den Einmalcode. Jeder gilt einmal. Drucken Sie sie aus oder schreiben Sie sie auf, und bewahren Sie sie getrennt vom Telefon auf.
codes-once = Sie werden nur jetzt angezeigt. Früher erhaltene Codes gelten nicht mehr.
codes-continue = Ich habe sie aufbewahrt: weiter

account-title = Ihr Konto
account-intro = Hier sehen und ändern Sie, was Ihre digitale Identität schützt. Ihre Zugriffe auf Dienste finden Sie auf der Seite
account-notice-added = Der zweite Faktor ist registriert.
account-notice-removed = Der zweite Faktor wurde entfernt.
account-notice-renamed = Der zweite Faktor hat einen neuen Namen.
account-notice-password = Ihr Passwort wurde geändert. Alle anderen Sitzungen wurden beendet.
account-notice-session = Die Sitzung wurde beendet.
account-notice-others = Alle anderen Sitzungen wurden beendet.
factors-title = Zweite Faktoren
factors-explain = Dienste mit höherer Sicherheit verlangen neben dem Passwort einen Einmalcode oder einen Sicherheitsschlüssel. Wer Ihr Passwort erfährt, kann sich dort trotzdem nicht anmelden.
factors-empty = Es ist kein zweiter Faktor registriert.
factors-operator = Den ersten erhalten Sie vom Kundendienst von { $organization }.
factors-no-proof = Um zu ändern, was Ihr Konto schützt, müssen Sie mit dem Passwort oder mit einem Sicherheitsschlüssel, der eine PIN oder den Fingerabdruck verlangt, bestätigen, dass Sie es sind; hier haben Sie keines von beiden. Wenden Sie sich an den Kundendienst von { $organization }: Er kann Ihnen ein Passwort geben.
factors-add = Authentifizierungs-App hinzufügen
factor-given = Vom Kundendienst registrierter Authentifikator
factor-since = Registriert am { $time }
factor-last-used = Zuletzt verwendet am { $time }
factor-never-used = Noch nicht verwendet
factor-remove = Entfernen
factor-name = Name
factor-name-help = Freiwillig: woran Sie das Gerät erkennen, zum Beispiel „Telefon“.
recovery-title = Wiederherstellungscodes
recovery-left = { $count ->
    [0] Sie haben keine Wiederherstellungscodes mehr. Erstellen Sie neue, bevor Sie sie brauchen.
    [one] Sie haben noch einen Wiederherstellungscode. Erstellen Sie neue, bevor Sie sie brauchen.
   *[other] Sie haben noch { $count } Wiederherstellungscodes.
}
recovery-renew = Neue Wiederherstellungscodes erstellen
password-current = Jetziges Passwort
password-new = Neues Passwort
password-new-help = Mindestens 8 Zeichen. Lang und leicht zu merken ist besser als kurz und kompliziert.
password-again = Neues Passwort noch einmal
sessions-title = Wo Sie angemeldet sind
sessions-explain = Wenn Sie eine Sitzung nicht kennen, beenden Sie sie und ändern Sie Ihr Passwort.
session-current = diese
session-since = Seit { $time }
session-end = Beenden
sessions-end-others = Alle anderen Sitzungen beenden
sessions-only-this = Es gibt keine andere Sitzung.
sessions-more = Es gibt weitere Sitzungen, die nicht angezeigt werden. „Alle anderen Sitzungen beenden“ beendet auch diese.
back-to-account = Zurück zu Ihrem Konto

change-failed = Es wurde nichts geändert
change-add_factor = Authentifizierungs-App hinzufügen
change-explain-add_factor = Bestätigen Sie zuerst Ihre Identität. Danach sehen Sie einen Code, den Sie mit der App scannen.
change-submit-add_factor = Weiter
change-remove_factor = Zweiten Faktor entfernen
change-explain-remove_factor = Sie entfernen gleich „{ $name }“. Er wird dann nicht mehr angenommen.
change-explain-last_factor = Das ist Ihr einziger zweiter Faktor. Ohne ihn können Sie sich bei Diensten, die einen verlangen, nicht mehr anmelden, und auch Ihre Wiederherstellungscodes gelten nicht mehr.
change-submit-remove_factor = Entfernen
change-renew_codes = Neue Wiederherstellungscodes erstellen
change-explain-renew_codes = Sie sehen zehn neue Codes, nur einmal. Alle früher erhaltenen Codes gelten dann nicht mehr.
change-submit-renew_codes = Neue Codes erstellen
change-change_password = Passwort ändern
change-explain-change_password = Alle Ihre anderen Sitzungen werden beendet.
change-submit-change_password = Passwort ändern

nav-account = Ihr Konto
home-account-title = Ihr Konto
home-account-text = Zweite Faktoren, Passwort und wo Sie angemeldet sind.
home-account-button = Konto öffnen
login-for-account = Melden Sie sich bei Ihrem Konto an.
factor-rename = Namen ändern
factor-new-name = Neuer Name
factor-rename-save = Namen speichern
factor-name-missing = Geben Sie einen Namen ein, zum Beispiel „Diensthandy“.
