other-way-external = Confirm with the app of your identity provider
other-way-email = Have a code sent by e-mail

elsewhere-title = Confirm with: { $name }
elsewhere-explain = Press the button: a request appears in “{ $name }”, where you confirm that it is you. Have your device at hand.
elsewhere-begin = Send me the request
elsewhere-open = Open “{ $name }” and confirm the request there.
elsewhere-number = Number
elsewhere-number-help = Confirm only if the same number is shown there. If you see a request that you did not begin yourself, refuse it and change your password: somebody else knows it.
elsewhere-waiting = We are waiting for your confirmation, until { $time }. This page goes on by itself.
elsewhere-silent = “{ $name }” cannot be reached at the moment. We go on trying; if it takes too long, choose another way below or cancel.
elsewhere-check = Check now
elsewhere-again = Send a new request
elsewhere-denied = The request was refused in “{ $name }”. If that was not you, or if you did not begin this login, change your password.
elsewhere-unavailable = “{ $name }” cannot ask you: perhaps it is not activated for you. Choose another way, or ask your identity provider.
elsewhere-expired = Nobody confirmed the request in time. You can have a new one sent.
elsewhere-locked = Too many requests were sent to “{ $name }” that nobody confirmed. For your safety no more are sent until { $time }. Until then choose another way; if you did not try yourself, change your password.

email-code-title = Code by e-mail
email-code-explain = We send a code to { $address }. It works once, for ten minutes.
email-code-send = Send me the code
email-code-sent = We sent a code to { $address }: { $time }. It may take a minute to arrive; look among the unwanted mail too.
email-code = Code from the e-mail
email-code-help = The six digits of the last e-mail. Earlier codes no longer work.
email-code-again = Send a new code
email-code-wrong = The code is not correct, or no longer works. Use the one of the last e-mail, or have a new one sent.
