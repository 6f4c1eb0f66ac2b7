import Glibc

/// What the C library calls an error number, in lower case: `connection refused`.
package func systemWords(_ number: Int32) -> String {
    unsafe String(cString: strerror(number)).lowercased()
}
