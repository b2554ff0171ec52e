//! System calls and sockets that a command does not have, tried by a real program.

use std::net::TcpListener;

use monstrum_runner::call::FailureKind;
use rstest::rstest;
use serde_json::{Value, json};

use crate::shell::workspace;
use crate::support::{Ended, shell, shell_call};

async fn python(config: Value, program: &str) -> Ended {
    let program = format!("import ctypes, errno, os, socket\n{program}");
    shell(shell_call(config, &["/usr/bin/python3", "-c", &program])).await
}

/// Which version of Landlock this kernel has.
async fn landlock() -> i32 {
    let (_folder, config) = workspace();
    let ended = python(config, "print(ctypes.CDLL(None).syscall(444, None, 0, 1))").await;
    ended.success().trim().parse().unwrap()
}

/// Ports can be granted from version 4 on (Linux 6.7); before, a resource that does is refused.
async fn can_grant_ports(config: &Value) -> bool {
    if landlock().await >= 4 {
        return true;
    }
    let ended = python(config.clone(), "print('ran')").await;
    assert_eq!(ended.failure().kind, FailureKind::Refused);
    false
}

/// Prints the name of the error of a system call.
const CALL: &str = "
libc = ctypes.CDLL(None, use_errno=True)
def call(*args):
    result = libc.syscall(*[ctypes.c_long(a) for a in args])
    print(errno.errorcode[ctypes.get_errno()] if result == -1 else 'done')
";

#[rstest]
#[case::ptrace("101, 16, os.getppid()", "EPERM")]
#[case::process_vm_readv("310, os.getppid(), 0, 0, 0, 0, 0", "EPERM")]
#[case::unshare_user("272, 0x10000000", "EPERM")]
#[case::clone_user("56, 0x10000000 | 17, 0, 0, 0, 0", "EPERM")]
#[case::clone_network("56, 0x40000000 | 17, 0, 0, 0, 0", "EPERM")]
#[case::clone3("435, 0, 0", "ENOSYS")]
#[case::setns("308, 0, 0", "EPERM")]
#[case::mount("165, 0, 0, 0, 0, 0", "EPERM")]
#[case::open_tree("428, -100, 0, 0", "EPERM")]
#[case::chroot("161, 0", "EPERM")]
#[case::bpf("321, 0, 0, 0", "EPERM")]
#[case::perf("298, 0, 0, -1, -1, 0", "EPERM")]
#[case::userfaultfd("323, 1", "EPERM")]
#[case::io_uring("425, 8, 0", "EPERM")]
#[case::keyctl("250, 0, -3, 1", "EPERM")]
#[case::add_key("248, 0, 0, 0, 0, -3", "EPERM")]
#[case::open_by_handle("304, 0, 0, 0", "EPERM")]
#[case::kexec("246, 0, 0, 0, 0", "EPERM")]
#[case::module("175, 0, 0, 0", "EPERM")]
#[case::setsid("112", "EPERM")]
#[case::setpgid("109, 0, 0", "EPERM")]
#[case::pidfd_getfd("438, 0, 0, 0", "EPERM")]
#[case::others_limits("302, os.getppid(), 7, 0, 0", "EPERM")]
#[case::others_priority("141, 0, os.getppid(), 19", "EPERM")]
#[case::personality("135, 0x0040000", "EPERM")]
#[case::newer_than_the_list("463, 0, 0, 0, 0, 0", "ENOSYS")]
#[case::x32_getpid("0x40000000 | 39", "ENOSYS")]
#[case::x32_ptrace("0x40000000 | 521, 16, os.getppid(), 0, 0", "ENOSYS")]
#[case::own_limits("302, 0, 7, 0, 0", "done")]
#[case::getpid("39", "done")]
#[tokio::test]
#[cfg(target_arch = "x86_64")]
async fn a_system_call(#[case] arguments: &str, #[case] result: &str) {
    let (_folder, config) = workspace();
    let ended = python(config, &format!("{CALL}call({arguments})")).await;
    assert_eq!(ended.success().trim(), result);
}

#[rstest]
#[case::tcp("AF_INET, socket.SOCK_STREAM", "EPERM")]
#[case::tcp6("AF_INET6, socket.SOCK_STREAM", "EPERM")]
#[case::udp("AF_INET, socket.SOCK_DGRAM", "EPERM")]
#[case::raw("AF_INET, socket.SOCK_RAW, 1", "EPERM")]
#[case::netlink("AF_NETLINK, socket.SOCK_RAW", "EPERM")]
#[case::packet("AF_PACKET, socket.SOCK_RAW", "EPERM")]
#[case::vsock("AF_VSOCK, socket.SOCK_STREAM", "EPERM")]
#[case::alg("AF_ALG, socket.SOCK_SEQPACKET", "EPERM")]
#[case::unix("AF_UNIX, socket.SOCK_STREAM", "made")]
#[tokio::test]
async fn a_socket_without_network(#[case] arguments: &str, #[case] result: &str) {
    let (_folder, config) = workspace();
    assert_eq!(python(config, &socket(arguments)).await.success().trim(), result);
}

fn socket(arguments: &str) -> String {
    format!(
        "try:\n  socket.socket(socket.{arguments}); print('made')\nexcept OSError as e: print(errno.errorcode[e.errno])"
    )
}

#[rstest]
#[case::udp("AF_INET, socket.SOCK_DGRAM", "EPERM")]
#[case::udp6("AF_INET6, socket.SOCK_DGRAM", "EPERM")]
#[case::raw("AF_INET, socket.SOCK_RAW, 1", "EPERM")]
#[case::mptcp("AF_INET, socket.SOCK_STREAM, 262", "EPERM")]
#[case::sctp("AF_INET, socket.SOCK_STREAM, 132", "EPERM")]
#[case::netlink("AF_NETLINK, socket.SOCK_RAW", "EPERM")]
#[case::tcp("AF_INET, socket.SOCK_STREAM, 6", "made")]
#[case::tcp6("AF_INET6, socket.SOCK_STREAM", "made")]
#[case::flags("AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK", "made")]
#[tokio::test]
async fn a_socket_with_network(#[case] arguments: &str, #[case] result: &str) {
    let (_folder, mut config) = workspace();
    config["network"] = json!({ "tcpConnectPorts": [443] });
    if !can_grant_ports(&config).await {
        return;
    }
    assert_eq!(python(config, &socket(arguments)).await.success().trim(), result);
}

/// Connects and tells what happened.
fn connect(port: u16) -> String {
    format!(
        "s = socket.socket()\ntry:\n  s.connect(('127.0.0.1', {port})); print('connected')\n\
         except OSError as e: print(errno.errorcode[e.errno])"
    )
}

#[tokio::test]
async fn only_granted_ports_are_connected_to() {
    let (granted, other) = (
        TcpListener::bind("127.0.0.1:0").unwrap(),
        TcpListener::bind("127.0.0.1:0").unwrap(),
    );
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let (_folder, mut config) = workspace();
    config["network"] = json!({ "tcpConnectPorts": [port(&granted)] });
    if !can_grant_ports(&config).await {
        return;
    }
    assert_eq!(
        python(config.clone(), &connect(port(&granted))).await.success(),
        "connected\n"
    );
    assert_eq!(
        python(config.clone(), &connect(port(&other))).await.success(),
        "EACCES\n"
    );
    let fast_open = format!(
        "s = socket.socket()\ntry:\n  s.sendto(b'x', 0x20000000, ('127.0.0.1', {})); print('sent')\n\
         except OSError as e: print(errno.errorcode[e.errno])",
        port(&other)
    );
    assert_eq!(python(config.clone(), &fast_open).await.success(), "EPERM\n");
    let serve = "s = socket.socket()\ntry:\n  s.bind(('0.0.0.0', 0)); print('bound')\n\
                 except OSError as e: print(errno.errorcode[e.errno])\n\
                 try:\n  socket.socket().listen(); print('listens')\nexcept OSError as e: print(errno.errorcode[e.errno])";
    assert_eq!(python(config, serve).await.success(), "EACCES\nEPERM\n");
    other.set_nonblocking(true).unwrap();
    assert!(other.accept().is_err(), "somebody connected");
}

#[tokio::test]
async fn bash_has_no_network_either() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (_folder, config) = workspace();
    let script = format!("echo x > /dev/tcp/127.0.0.1/{port}");
    let ended = shell(shell_call(config, &["bash", "-c", &script])).await;
    assert!(ended.success().contains("Operation not permitted"), "{ended:?}");
}

#[tokio::test]
async fn no_abstract_socket_leaves_the_sandbox() {
    use std::os::linux::net::SocketAddrExt as _;
    // Before version 6 (Linux 6.12) nothing keeps them in; a runner's pod has none.
    if landlock().await < 6 {
        return;
    }
    let name = format!("monstrum-test-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
    let (_folder, config) = workspace();
    let program = format!(
        "s = socket.socket(socket.AF_UNIX)\ntry:\n  s.connect('\\0{name}'); print('connected')\n\
         except OSError as e: print(errno.errorcode[e.errno])"
    );
    assert_eq!(python(config, &program).await.success(), "EPERM\n");
}
