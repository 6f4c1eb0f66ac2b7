import CCurl

/// How libcurl tells a transfer what happens: always on the thread that called into the library, and within that call.
extension EasyHandle {
    /// - Parameter transfer: must live as long as the handle, which does not keep it.
    func report(to transfer: Transfer) throws(TransferFailure) {
        let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
        let results = unsafe [
            curl_set_sink(pointer, CURLOPT_HEADERFUNCTION, takeHead, CURLOPT_HEADERDATA, context),
            curl_set_sink(pointer, CURLOPT_WRITEFUNCTION, takeBody, CURLOPT_WRITEDATA, context),
            curl_set_beginning(pointer, mayBegin, context),
            curl_set_opener(pointer, openSocket, context),
            curl_set_pointer(pointer, CURLOPT_PRIVATE, UnsafeMutableRawPointer(bitPattern: UInt(transfer.id))),
        ]
        for code in results where code != CURLE_OK {
            throw TransferFailure(.init(code), unsafe words(curl_easy_strerror(code)))
        }
    }
}

private func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
    unsafe context.map { unsafe Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
}

/// `CURLOPT_HEADERFUNCTION(3)`: any other number than that of the bytes ends the transfer.
private func takeHead(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
    return unsafe transfer(context)?.takeHead(Array(line)) == true ? size * count : -1
}

/// `CURLOPT_WRITEFUNCTION(3)`: bytes that are put off come again after `curl_easy_pause(3)`.
private func takeBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    let part = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
    switch unsafe transfer(context)?.takeBody(part) {
    case .taken: return size * count
    case .later: return Int(CURL_WRITEFUNC_PAUSE)
    case .refused, nil: return -1
    }
}

/// `CURLOPT_PREREQFUNCTION(3)`: called before each time that the request is sent.
private func mayBegin(
    _ context: UnsafeMutableRawPointer?, _ remote: UnsafeMutablePointer<CChar>?,
    _ local: UnsafeMutablePointer<CChar>?, _ remotePort: Int32, _ localPort: Int32
) -> Int32 {
    unsafe transfer(context)?.mayBegin() == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

/// `CURLOPT_OPENSOCKETFUNCTION(3)`: called with each address before it is connected to.
private func openSocket(
    _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let transfer = unsafe transfer(context), let address = unsafe address else { return CURL_SOCKET_BAD }
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = unsafe curl_address_bytes(address, &bytes)
    guard transfer.mayConnect(to: IPAddress(bytes: Array(bytes.prefix(Int(count))))) else { return CURL_SOCKET_BAD }
    return unsafe curl_open_socket(address)
}
