//! The byte streams that packets travel on: TCP, unix socket, and TLS over either.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::TlsStream;

/// A connected socket.
#[derive(Debug)]
pub enum Socket {
    /// TCP.
    Tcp(TcpStream),
    /// Unix domain socket.
    Unix(UnixStream),
}

/// A connection, encrypted or not.
#[derive(Debug)]
pub enum Transport {
    /// Bytes go over the socket as they are.
    Plain(Socket),
    /// TLS.
    Tls(Box<TlsStream<Socket>>),
}

impl From<TcpStream> for Transport {
    fn from(stream: TcpStream) -> Self {
        Self::Plain(Socket::Tcp(stream))
    }
}

impl From<UnixStream> for Transport {
    fn from(stream: UnixStream) -> Self {
        Self::Plain(Socket::Unix(stream))
    }
}

impl Transport {
    /// The socket below.
    #[must_use]
    pub fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => tls.get_ref().0,
        }
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Whether nobody can listen in: TLS or a unix socket. Passwords may be sent in clear, as in MySQL.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.is_tls() || matches!(self.socket(), Socket::Unix(_))
    }

    /// The TLS version and cipher suite for people and status variables, such as `TLSv1_3`; `None` without TLS.
    #[must_use]
    pub fn tls_version_and_cipher(&self) -> Option<(String, String)> {
        let Self::Tls(tls) = self else { return None };
        let (_, state) = tls.get_ref();
        let version = state.protocol_version()?.as_str()?.to_owned();
        let suite = state.negotiated_cipher_suite()?.suite().as_str()?.to_owned();
        Some((version, suite))
    }

    /// The peer's address; `None` on a unix socket.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        match self.socket() {
            Socket::Tcp(stream) => stream.peer_addr().ok(),
            Socket::Unix(_) => None,
        }
    }

    /// Sends small packets at once (TCP_NODELAY): an answer must not wait for the acknowledgement of the last one.
    pub fn set_nodelay(&self) -> io::Result<()> {
        match self.socket() {
            Socket::Tcp(stream) => stream.set_nodelay(true),
            Socket::Unix(_) => Ok(()),
        }
    }

    /// Ready once bytes or the end of the stream may be there. A spurious wake-up is possible.
    pub fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Self::Tls(tls) = self
            && has_plaintext(tls)?
        {
            return Poll::Ready(Ok(()));
        }
        match self.socket() {
            Socket::Tcp(stream) => stream.poll_read_ready(cx),
            Socket::Unix(stream) => stream.poll_read_ready(cx),
        }
    }

    /// Waits until bytes or the end of the stream may be there, without holding a buffer.
    pub async fn readable(&mut self) -> io::Result<()> {
        std::future::poll_fn(|cx| self.poll_read_ready(cx)).await
    }

    /// Reads what is there without waiting; [`io::ErrorKind::WouldBlock`] when nothing is.
    ///
    /// Meant for checking whether an idle connection is still open. On a hot path `poll_read` costs less: it knows from a
    /// short read that the socket is empty and spares the system call that would say so.
    pub fn try_read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.try_read(buf),
            Self::Tls(tls) => match tls.as_mut() {
                TlsStream::Client(stream) => {
                    let (socket, session) = stream.get_mut();
                    try_read_tls(socket, session, buf)
                }
                TlsStream::Server(stream) => {
                    let (socket, session) = stream.get_mut();
                    try_read_tls(socket, session, buf)
                }
            },
        }
    }
}

impl Socket {
    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_read(buf),
            Self::Unix(stream) => stream.try_read(buf),
        }
    }
}

/// Lets rustls read from a socket without waiting.
struct TryReader<'a>(&'a Socket);

impl io::Read for TryReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buf)
    }
}

fn try_read_tls<D>(
    socket: &Socket,
    session: &mut rustls::ConnectionCommon<D>,
    buf: &mut [u8],
) -> io::Result<usize> {
    loop {
        match io::Read::read(&mut session.reader(), buf) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            other => return other,
        }
        if session.read_tls(&mut TryReader(socket))? == 0 {
            return Ok(0);
        }
        session.process_new_packets().map_err(tls_error)?;
    }
}

fn has_plaintext(tls: &mut TlsStream<Socket>) -> io::Result<bool> {
    let state = match tls {
        TlsStream::Client(stream) => stream.get_mut().1.process_new_packets(),
        TlsStream::Server(stream) => stream.get_mut().1.process_new_packets(),
    };
    Ok(state.map_err(tls_error)?.plaintext_bytes_to_read() > 0)
}

fn tls_error(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Tls(tls) => match ready!(Pin::new(tls.as_mut()).poll_read(cx, buf)) {
                // Many clients close the socket without a close_notify; MySQL's framing tells a cut message by itself.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
                other => Poll::Ready(other),
            },
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, buf),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}
