// A certificate for tests, signed by an authority of its own: EC keys, good until 2126. The private
// key is public on purpose and good for nothing else.

/** Good for localhost, mx.example.com, *.example.net, relay.test, 127.0.0.1 and ::1. */
export const testCertificate = `\
-----BEGIN CERTIFICATE-----
MIIB5jCCAY2gAwIBAgIUGvBoOFw/00ted1X7AHWoJOGe9EMwCgYIKoZIzj0EAwIw
IjEgMB4GA1UEAwwXUG9zdGhvcm4gdGVzdCBhdXRob3JpdHkwIBcNMjYxMTIxMjAw
NjIyWhgPMjEyNjEwMjgyMDA2MjJaMBkxFzAVBgNVBAMMDm14LmV4YW1wbGUuY29t
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnz0oikCs6HpmNk4+Msh9NBgJSqEt
7+XbbWGRLoMhYE0BAMRrNmR6TGWVv7/8SWhWY8z2uQqs6FzHTADss69H6aOBpzCB
pDBXBgNVHREEUDBOgglsb2NhbGhvc3SCDm14LmV4YW1wbGUuY29tgg0qLmV4YW1w
bGUubmV0ggpyZWxheS50ZXN0hwR/AAABhxAAAAAAAAAAAAAAAAAAAAABMAkGA1Ud
EwQCMAAwHQYDVR0OBBYEFPtkcID9gw2Pw14NvGnfnx8I1bk4MB8GA1UdIwQYMBaA
FDIS7dreTfdOFpFgCTcOwsfd6K0cMAoGCCqGSM49BAMCA0cAMEQCICgNA9y+Gtbe
74ip2Bjjgq31m91yAahSNmttIkWHXuzMAiAgMLX1ra6tGilI6njXFvGFM0S1FaHO
HW3cZJQduSJBKg==
-----END CERTIFICATE-----
`

export const testKey = `\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFiKH8MnQ026A4lm8
bT76PxwGfFBbfC1CSIuuAaI37FuhRANCAASfPSiKQKzoemY2Tj4yyH00GAlKoS3v
5dttYZEugyFgTQEAxGs2ZHpMZZW/v/xJaFZjzPa5CqzoXMdMAOyzr0fp
-----END PRIVATE KEY-----
`

/** Who signed it: trust this in a test to see a verified session. */
export const testAuthority = `\
-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUMw0UrkCeVcf0nk7s0jc6FGfX+RUwCgYIKoZIzj0EAwIw
IjEgMB4GA1UEAwwXUG9zdGhvcm4gdGVzdCBhdXRob3JpdHkwIBcNMjYxMTIxMjAw
NjIyWhgPMjEyNjEwMjgyMDA2MjJaMCIxIDAeBgNVBAMMF1Bvc3Rob3JuIHRlc3Qg
YXV0aG9yaXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE6nRk48n2zVt8JbMX
0HzF0pey7dRE8fVyu1kgrhF9HhIje5vv3bdukrwQBMIy/JQM8TiwkyJ3lS2myXXx
CMH7/aNTMFEwHQYDVR0OBBYEFDIS7dreTfdOFpFgCTcOwsfd6K0cMB8GA1UdIwQY
MBaAFDIS7dreTfdOFpFgCTcOwsfd6K0cMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZI
zj0EAwIDSQAwRgIhAL7LjXx5kR75xOyQ2tJGige/B67wlPWEZbOBaQTAtnSXAiEA
+qRgAKIq+Vlh1QlHfl+ZLXs4Xeo6j7wCiMbMlJ4G84M=
-----END CERTIFICATE-----
`
