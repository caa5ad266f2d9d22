<?php
/* WordPress's wp_mail() with the settings an SMTP plugin makes (phpmailer_init).  Only the parts of
 * WordPress that wp_mail() needs are loaded, so there is no database.
 * Job as for phpmailer.php, with "wordpress": its folder; prints ok or the error. */
$job = json_decode(stream_get_contents(STDIN), true);
define('ABSPATH', $job['wordpress'] . '/');
define('WPINC', 'wp-includes');
define('WP_CONTENT_DIR', ABSPATH . 'wp-content');

function get_bloginfo($what = '', $filter = 'raw')
{
    return $what === 'charset' ? 'UTF-8' : 'Shop';
}
function network_home_url($path = '')
{
    return 'https://shop.example' . $path;
}
function __($text)
{
    return $text;
}

require ABSPATH . WPINC . '/plugin.php';
require ABSPATH . WPINC . '/class-wp-error.php';
require ABSPATH . WPINC . '/load.php';
require ABSPATH . WPINC . '/formatting.php';
require ABSPATH . WPINC . '/functions.php';
require ABSPATH . WPINC . '/http.php';
require ABSPATH . WPINC . '/pluggable.php';

/* What the options table would answer. */
foreach (['blog_charset' => 'UTF-8', 'blogname' => 'Shop', 'home' => 'https://shop.example',
          'siteurl' => 'https://shop.example'] as $name => $value) {
    add_filter("pre_option_$name", fn() => $value);
}

add_action('phpmailer_init', function ($mail) use ($job) {
    $mail->isSMTP();
    $mail->Host = $job['host'];
    $mail->Port = $job['port'];
    $mail->SMTPSecure = $job['secure'];
    $mail->SMTPAuth = true;
    $mail->Username = $job['user'];
    $mail->Password = $job['password'];
    $mail->SMTPOptions = ['ssl' => ['cafile' => $job['ca']]];
});
add_filter('wp_mail_from', fn() => $job['messages'][0]['from']);
add_action('wp_mail_failed', function ($error) {
    echo $error->get_error_message(), "\n";
    exit(1);
});
foreach ($job['messages'] as $one) {
    if (!wp_mail($one['to'], $one['subject'], $one['text'])) {
        exit(1);
    }
    echo "ok\n";
}
