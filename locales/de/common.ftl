skip-to-content = Zum Hauptinhalt springen
language-nav = Sprache
main-nav = Hauptnavigation
nav-home = Startseite
nav-history = Ihre Zugriffe
brand-tagline = Anmeldung mit digitaler Identität
development-notice = Entwicklungsumgebung: Dies ist kein echter Dienst. Geben Sie keine echten personenbezogenen Daten ein.
signed-in-as = Angemeldet als { $name }
footer-policy = Datenschutzhinweise
footer-reference = Referenznummer dieser Seite:
error-prefix = Fehler:
cancel = Abbrechen
username = Benutzername
password = Passwort
rp-policy = Datenschutzhinweise des Dienstes
opens-new-tab = (öffnet sich in einem neuen Tab)
try-again = Erneut versuchen
back-to-rp = Zurück zu { $rp }

level-1 = Stufe 1 (Passwort)
level-2 = Stufe 2 (Passwort und zweiter Faktor)
level-3 = Stufe 3 (Schlüssel auf Gerät oder Karte)
level-1-short = Stufe 1
level-2-short = Stufe 2
level-3-short = Stufe 3

value-yes = ja
value-no = nein
value-female = weiblich
value-male = männlich
value-cartaIdentita = Personalausweis
value-passaporto = Reisepass
value-patenteGuida = Führerschein

form-post-title = Weiter zu { $rp }
form-post-text = Die nächste Seite öffnet sich von selbst. Falls nicht, klicken Sie nach einigen Sekunden auf die Schaltfläche.
form-post-button = Weiter

home-title = Anmeldung mit { $brand }
home-what = Dies ist der { $brand }-Authentifizierungsdienst von { $organization }. Er bestätigt Ihre Identität, wenn Sie Online-Dienste der teilnehmenden Verwaltungen und Unternehmen nutzen.
home-how = Um einen Dienst zu nutzen, beginnen Sie bitte immer auf der Website dieses Dienstes und wählen Sie dort die Anmeldung mit Ihrer digitalen Identität.
home-history-title = Ihre Zugriffe
home-history-text = Sie können jederzeit einsehen, auf welche Dienste Sie zugegriffen haben und welche Daten übermittelt wurden, und eine Ermächtigung widerrufen.
home-history-button = Ihre Zugriffe ansehen
home-issuer = Kennung dieses Dienstes:
home-metadata = Metadaten für Entwickler
