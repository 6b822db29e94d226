second-factor-title = Confirm that it is you
second-factor-submit = Confirm
otp = One-time code
otp-help = The six digits that your authenticator app shows now.
recovery-code = Recovery code
recovery-code-help = One of the codes that you kept when you registered the app. Each works once.
other-way-recovery = I do not have the app: use a recovery code
other-way-totp = Use the code of the app
login-as-other = Log in as somebody else

no-factor-title = A second factor is needed
no-factor-enrol = The service asks for a login with a second factor, and you have not registered one yet. You can register an authenticator app on your phone now: it takes about a minute. Afterwards the login goes on.
no-factor-enrol-button = Register an app
no-factor-operator = The service asks for a login with a second factor, and none is registered for you. Please ask the help desk of { $organization } for one. If you cancel, you return to the service.

proof-error-missing = Fill in every field.
proof-error-wrong_password = The password is not correct. Please check it and try again.
proof-error-wrong_code = The code is not correct. Look at the app again: the code changes every 30 seconds. If it never works, check that the clock of your phone is set automatically.
proof-error-used_before = This code was used already. Wait until the app shows the next one, at most 30 seconds, and enter that.
proof-error-clock_ahead = { $minutes ->
    [one] The code is of another time: the clock of your phone is one minute ahead.
   *[other] The code is of another time: the clock of your phone is { $minutes } minutes ahead.
}
proof-error-clock_behind = { $minutes ->
    [one] The code is one minute old. If the app shows it just now, the clock of your phone is one minute behind.
   *[other] The code is { $minutes } minutes old. If the app shows it just now, the clock of your phone is { $minutes } minutes behind.
}
proof-error-clock_set = In the settings of the phone, set date and time to automatic; then enter the code that the app shows.
proof-error-server_behind = The code cannot be accepted: the clock of this system has gone back, you have done nothing wrong. Try again after { $time }, or use another way to log in; if it is urgent, tell the help desk.
proof-error-of_the_future = The code was sent before the clock of this system went back, and no longer counts. Ask for another one.
proof-error-locked = Too many wrong codes. For your safety such codes are refused until { $time }. Until then you can use a recovery code; if you did not try yourself, change your password.
proof-error-expired = It took too long. Please begin again.
proof-error-busy = There are very many logins at the moment. Please wait a few seconds and try again.
proof-error-password_length = The new password needs at least 8 characters, and at most 1024 bytes.
proof-error-passwords_differ = The two new passwords differ. Enter the same one twice.
proof-error-same_password = The new password is the one you have now. Choose another one.
proof-error-too_many = You have as many second factors as one may have. Remove one first.

enrol-title = Register an authenticator app
enrol-failed = The app is not registered yet
enrol-intro = Use any app for one-time codes (TOTP), such as FreeOTP, Aegis, Google Authenticator or your password manager. What you see here is secret: show it to nobody.
enrol-scan = Scan this code with the app:
enrol-qr = QR code with the secret of your new second factor
enrol-type = Or type this key into the app:
enrol-open = Or open it in an app on this device
enrol-code = Enter the six digits that the app shows then. The second factor counts from that moment on.
enrol-submit = Register

codes-title = Your recovery codes
codes-explain = If you do not have the app at hand, one of these codes takes the place of the one-time code. Each works once. Print them or write them down, and keep them apart from your phone.
codes-once = They are shown only now. Codes that you were given before no longer work.
codes-continue = I have kept them: continue

account-title = Your account
account-intro = Here you see and change what protects your digital identity. Your accesses to services are on the page
account-notice-added = The second factor is registered.
account-notice-removed = The second factor has been removed.
account-notice-renamed = The second factor has a new name.
account-notice-password = Your password has been changed. All other sessions have been ended.
account-notice-session = The session has been ended.
account-notice-others = All other sessions have been ended.
factors-title = Second factors
factors-explain = Services with higher security ask for a one-time code or a security key beside the password. Whoever learns your password still cannot log in there.
factors-empty = No second factor is registered.
factors-operator = Please ask the help desk of { $organization } for the first one.
factors-no-proof = To change what protects your account you have to confirm that it is you, with the password or with a security key that asks for a PIN or a fingerprint, and here you have neither. Please ask the help desk of { $organization }: it can give you a password.
factors-add = Add an authenticator app
factor-given = Authenticator registered by the help desk
factor-since = Registered on { $time }
factor-last-used = Last used on { $time }
factor-never-used = Not used yet
factor-remove = Remove
factor-name = Name
factor-name-help = Optional: what you will recognise the device by, for example “phone”.
recovery-title = Recovery codes
recovery-left = { $count ->
    [0] You have no recovery codes left. Make new ones before you need them.
    [one] You have one recovery code left. Make new ones before you need them.
   *[other] You have { $count } recovery codes left.
}
recovery-renew = Make new recovery codes
password-current = Current password
password-new = New password
password-new-help = At least 8 characters. Long and easy to remember is better than short and complicated.
password-again = New password again
sessions-title = Where you are logged in
sessions-explain = If you do not recognise a session, end it and change your password.
session-current = this one
session-since = Since { $time }
session-end = End
sessions-end-others = End all other sessions
sessions-only-this = There is no other session.
sessions-more = There are more sessions, which are not shown. “End all other sessions” ends these too.
back-to-account = Back to your account

change-failed = Nothing was changed
change-add_factor = Add an authenticator app
change-explain-add_factor = First confirm that it is you. Afterwards you will see a code to scan with the app.
change-submit-add_factor = Continue
change-remove_factor = Remove a second factor
change-explain-remove_factor = You are about to remove “{ $name }”. It will no longer be accepted.
change-explain-last_factor = This is your only second factor. Without one you can no longer log in to services that ask for one, and your recovery codes stop working too.
change-submit-remove_factor = Remove it
change-renew_codes = Make new recovery codes
change-explain-renew_codes = You will see ten new codes, once. All codes that you were given before stop working.
change-submit-renew_codes = Make new codes
change-change_password = Change your password
change-explain-change_password = All your other sessions will be ended.
change-submit-change_password = Change password

nav-account = Your account
home-account-title = Your account
home-account-text = Second factors, password, and where you are logged in.
home-account-button = Open your account
login-for-account = Log in to your account.
factor-rename = Change the name
factor-new-name = New name
factor-rename-save = Save the name
factor-name-missing = Type a name, for example “work phone”.
