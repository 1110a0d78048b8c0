import COpenSSL

/// libcrypto, which this program and both servers' client libraries share.
package enum CryptographyLibrary {
    /// Keeps libcrypto in working order until the process is gone. By default it takes itself apart when `exit` is
    /// called, under the hands of threads that still close a TLS connection: one run in hundreds of atelierctl ended
    /// with SIGSEGV instead of its own status.
    ///
    /// To be touched before anything of libcrypto is, for only the first initialization decides.
    package static let staysUntilTheEnd: Void = { OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) }()
}
