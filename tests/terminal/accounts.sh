# accounts.sh EXPLAIN USER: a shell of USER (root or guest) on a machine whose accounts are its own, for programs that ask for passwords.
# Run by root in a mount namespace, in an empty directory, which becomes the guest's home. Every password is `secret`.
set -eu
explain=$1 user=$2
perl=$(command -v perl)

mkdir etc
cp -a /etc/. etc
mount --bind etc /etc
for place in /run /var/lib/sudo /var/log; do
	[ ! -d $place ] || mount -t tmpfs none $place
done
mkdir /run/sshd
touch explain
mount --bind "$explain" explain

hash=$($perl -e 'print crypt("secret", q($6$salt$))')
number=64321
for name in guest other; do
	echo "$name:x:$number:$number::$PWD:/bin/bash" >>/etc/passwd
	echo "$name:x:$number:" >>/etc/group
	echo "$name:$hash:19000:0:99999:7:::" >>/etc/shadow
	number=$((number + 1))
done
sed -i "s,^root:[^:]*,root:$hash," /etc/shadow
printf 'Defaults lecture=never, !syslog, timestamp_timeout=0\nguest ALL=(ALL) ALL\n' >/etc/sudoers
rm -rf /etc/sudoers.d
echo "127.0.0.1 $(hostname)" >>/etc/hosts

if command -v ssh-keygen >/dev/null; then
	ssh-keygen -q -N '' -t ed25519 -f host_key
	printf '%s\n' "HostKey $PWD/host_key" 'PasswordAuthentication yes' 'UsePAM no' 'PidFile none' 'PrintMotd no' >server
	# The server talks through a pipe with its client, so that no port is needed.
	printf '%s\n' 'Host nowhere' "ProxyCommand /usr/sbin/sshd -i -f $PWD/server" 'PreferredAuthentications password' \
		'UserKnownHostsFile /dev/null' 'StrictHostKeyChecking no' 'LogLevel ERROR' >client
fi

chmod 755 .
chown 64321 .
shell="bash --norc --noprofile -i"
[ "$user" = root ] && exec $shell
exec setpriv --reuid 64321 --regid 64321 --clear-groups $shell
