"""From FlixCloud 0.2 (Job) to cloudreel.flixcloud: each old line above its new one.

    python examples/migrate_flixcloud.py

=============================================  =====================================================
FlixCloud                                      cloudreel.flixcloud
=============================================  =====================================================
``Job(api_key)``, ``job.set_input(...)``, ...  the same, or ``fc.job()`` and ``AsyncFlixCloud(...)``
``Job(api_key, {..., "send": True})``          the same; async: ``await AsyncJob.create(api_key, {...})``
``job.send()`` -> bool, ``job.errors``         the same; or ``fc.create_job(...)``, which raises
polling by hand                                ``fc.job_status(id)``, ``fc.wait(id)``
``JobNotification(xml)``                       the same; hostile XML is refused
=============================================  =====================================================
"""

import os

# from FlixCloud import Job, JobNotification
from cloudreel.flixcloud import Job, JobNotification

NOTIFICATION = """<?xml version="1.0" encoding="UTF-8"?>
<job><id type="integer">9</id><finished-job-at>2009-04-07T21:15:33Z</finished-job-at>
<initialized-job-at>2009-04-07T21:15:02Z</initialized-job-at><recipe-name>mpg2avi</recipe-name>
<recipe-id type="integer">3</recipe-id><state>failed_job</state>
<error-message>The file could not be read.</error-message>
<input-media-file><url>http://media.example/in.mpg</url></input-media-file></job>"""


def main() -> None:
    # job_req = Job(api_key)
    address = os.environ.get("FLIXCLOUD_BASE_URL", "https://www.flixcloud.com")
    job_req = Job(os.environ["FLIXCLOUD_API_KEY"], base_url=address)
    # job_req.recipe_id = 3
    # job_req.set_input("http://media.example/in.mpg", "user", "password")
    # job_req.set_output("ftp://media.example/out.avi", "user", "password")
    job_req.recipe_id = 3
    job_req.set_input("http://media.example/in.mpg", "user", "password")
    job_req.set_output("ftp://media.example/out.avi", "user", "password")

    # if job_req.send():
    #     print job_req.id, job_req.initialized_job_at
    # else:
    #     for error in job_req.errors: print error
    if job_req.send():
        print(job_req.id, job_req.initialized_job_at)
    else:
        for error in job_req.errors:
            print(error)

    # job_nfn = JobNotification(body); print job_nfn.state
    job_nfn = JobNotification(NOTIFICATION)
    print(job_nfn.id, job_nfn.state, job_nfn.error_message)


if __name__ == "__main__":
    main()
