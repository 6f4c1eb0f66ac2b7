import CCurl

/// What went wrong with a transfer, before it is known which one it was.
struct TransferFailure: Error, Equatable {
    let code: CurlError.Code
    let words: String

    init(_ code: CurlError.Code, _ words: String) {
        self.code = code
        self.words = words
    }

    static let outOfMemory = TransferFailure(.failed, "there is no memory left")
}

extension CurlError.Code {
    /// What libcurl's code means for a caller; `libcurl-errors(3)`.
    init(_ code: CURLcode) {
        self =
            switch code {
            case CURLE_URL_MALFORMAT, CURLE_BAD_FUNCTION_ARGUMENT, CURLE_UNKNOWN_OPTION, CURLE_NOT_BUILT_IN,
                CURLE_SSL_CACERT_BADFILE:
                .invalidRequest
            case CURLE_COULDNT_RESOLVE_HOST: .couldNotResolve
            case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED: .couldNotConnect
            case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS,
                CURLE_SSL_PINNEDPUBKEYNOTMATCH:
                .certificateRefused
            case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CLIENTCERT,
                CURLE_USE_SSL_FAILED:
                .tlsFailed
            case CURLE_OPERATION_TIMEDOUT: .timedOut
            case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_SEND_FAIL_REWIND:
                .connectionReset
            case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING, CURLE_HTTP2,
                CURLE_HTTP2_STREAM, CURLE_READ_ERROR:
                .protocolViolation
            case CURLE_FILESIZE_EXCEEDED: .tooLarge
            default: .failed
            }
    }
}
